package cloudapi

// maxWord bounds a word of the provider's, in bytes.
const maxWord = 64

// readStory reads what a change says, wherever in its value it stands: the fields name it in ways
// of their own, and Meta moves them.
func readStory(value []byte) (read story) {
	s := scanner{data: value}
	read.read(&s)
	return read
}

func (t *story) read(s *scanner) {
	switch s.peek() {
	case '[':
		for list := s.array(""); s.element(&list); {
			t.read(s)
		}
	case '{':
		for in := s.object(""); s.member(&in); {
			t.member(s, string(in.key))
		}
	default:
		s.skip()
	}
}

func (t *story) member(s *scanner, key string) {
	switch key {
	case "event", "alert_type":
		t.event = firstOf(t.event, wordOf(s.text(key)))
	case "reason", "rejection_reason", "waba_ban_state", "violation_type", "restriction_type", "alert_status":
		t.reason = firstOf(t.reason, wordOf(s.text(key)))
	case "new_quality_score":
		t.quality = wordOf(s.text(key))
	case "new_category", "correct_category":
		t.category = firstOf(t.category, wordOf(s.text(key)))
	case "message_template_name":
		t.template = wordOf(s.text(key))
	case "decision":
		t.decision = wordOf(s.text(key))
	case "alert_severity":
		t.severity = wordOf(s.text(key))
	case "current_limit", "max_daily_conversations_per_business":
		t.reason = firstOf(t.reason, wordOf(s.text(key)))
	case "code":
		if code := int(s.whole()); t.code == 0 {
			t.code = code
		}
	case "title":
		t.title = firstOf(t.title, cut(s.text(key), maxWord))
	default:
		t.read(s)
	}
}

func firstOf(one, other string) string {
	if one != "" {
		return one
	}
	return other
}

// wordOf returns a word as the provider's lists have it: letters, digits and underscores. Anything
// else may be the text of a person, and is left out.
func wordOf(text string) string {
	if len(text) > maxWord {
		return ""
	}
	for i := range len(text) {
		if c := text[i]; c != '_' && !isDigit(c) && !isLetter(c) {
			return ""
		}
	}
	return text
}
