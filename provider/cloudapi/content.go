package cloudapi

import wactorv1 "github.com/wactor/wactor/proto/wactor/v1"

// Names of normalised types that differ from the provider's, or that need a decision here. All
// others keep the provider's.
const (
	typeButtonReply = "button_reply"
	typeListReply   = "list_reply"
	typeFlowReply   = "flow_reply"
	typeUnsupported = "unsupported"
)

// content is what a message holds: its type, and the object of the same name. A message inside an
// edit has the same form. The type may stand behind the object, so objects are kept until it is
// known.
type content struct {
	kind    string
	objects [3]object
	more    []object
}

type object struct {
	name string
	raw  []byte
}

// withObject are the provider's types whose content is an object of the same name.
var withObject = words("text", "image", "video", "audio", "voice", "document", "sticker", "location", "contacts",
	"interactive",
	"button", "order", "reaction", "system", "edit", "revoke")

// bare are the types that need no object.
var bare = words("request_welcome", typeUnsupported)

// ours are names that this package or the gateway gives; a provider's new type of such a name must
// not pass for it.
var ours = words(typeButtonReply, typeListReply, typeFlowReply, "unreadable")

// oddTypes are old names for "we can't show this".
var oddTypes = words("unknown", "ephemeral", "media_placeholder")

func (c *content) member(s *scanner, key []byte) {
	if string(key) == "type" {
		c.kind = s.word("type", withObject)
		return
	}
	name, known := withObject[string(key)]
	if !known {
		s.skip()
		return
	}
	one := object{name, s.skip()}
	for i := range c.objects {
		if c.objects[i].name == "" {
			c.objects[i] = one
			return
		}
	}
	c.more = append(c.more, one)
}

// find returns the object of this name; the last one wins, as in encoding/json. Nil where there is
// none, or a null.
func (c *content) find(name string) (raw []byte) {
	for _, one := range c.objects {
		if one.name == name {
			raw = one.raw
		}
	}
	for _, one := range c.more {
		if one.name == name {
			raw = one.raw
		}
	}
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// fill puts type and content into the message; odd names a part of the wrong JSON type.
//
// A message without the object of its type is "unsupported", not an error: pywa has met an
// interactive message without its interactive object, and there is a user to answer.
func (c *content) fill(m *wactorv1.Message) (odd string) {
	if _, known := withObject[c.kind]; !known {
		m.Type = newType(c.kind)
		return ""
	}
	raw := c.find(c.kind)
	if raw == nil {
		m.Type = typeUnsupported
		return ""
	}
	m.Type = c.kind
	s := scanner{data: raw}
	c.fields(&s, m)
	return s.odd
}

func (c *content) fields(s *scanner, m *wactorv1.Message) {
	switch c.kind {
	case "text":
		if s.peek() == '"' { // the body alone, in place of its object
			m.Text = s.text("text")
			return
		}
		m.Text = field(s, "text", "body")
	case "image", "video", "audio", "voice", "document", "sticker":
		media(s, c.kind, m)
	case "location":
		location(s, m)
	case "contacts":
		// A card is not the user's own words: a contact named "stop" must not pass for the word.
		// The bot finds it in Raw.
		for list := s.array("contacts"); s.element(&list); {
			s.skip()
		}
	case "interactive":
		interactive(s, m)
	case "button":
		templateButton(s, m)
	case "order":
		m.Text = field(s, "order", "text")
	case "reaction":
		reaction(s, m)
	case "system":
		m.Text = field(s, "system", "body")
	case "edit":
		edit(s, m)
	case "revoke":
		m.ContextId = field(s, "revoke", "original_message_id")
	}
}

// newType passes on a type that this package does not know, as long as it looks like a name of the
// provider's: it becomes a value in metrics and in bots' switches.
func newType(name string) string {
	for _, taken := range []map[string]string{withObject, ours, oddTypes} {
		if _, is := taken[name]; is {
			return typeUnsupported
		}
	}
	if known, is := bare[name]; is {
		return known
	}
	if name == "" || isDigit(name[0]) || len(name) > 64 {
		return typeUnsupported
	}
	for i := range len(name) {
		if c := name[i]; c != '_' && !isDigit(c) && (c < 'a' || c > 'z') {
			return typeUnsupported
		}
	}
	return name
}

// field reads one string member of an object, and passes over the others.
func field(s *scanner, object, name string) (value string) {
	for in := s.object(object); s.member(&in); {
		if string(in.key) == name {
			value = s.text(name)
		} else {
			s.skip()
		}
	}
	return value
}
