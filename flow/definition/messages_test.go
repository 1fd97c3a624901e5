package definition

import "testing"

func TestWordsAreComparedAsPeopleMeanThem(t *testing.T) {
	for _, c := range []struct {
		typed, word string
		same        bool
	}{
		{"Stop.", "stop", true}, {"stop!", "STOP", true}, {" ¡stop! ", "stop", true}, {"STÓP", "stop", true},
		{"stop 🙏", "stop", true}, {"“Stop”", "stop", true}, {"ＳＴＯＰ", "stop", true}, {"stop\u200b", "stop", true},
		{"für  immer", "Fur immer", true}, {"cancelación", "cancelacion", true}, {"إيقاف", "إيقاف", true},
		{"s\u0301top", "stop", true}, {"?", "?", true}, {"👍", "👍", true},
		{"stop it", "stop", false}, {"nonstop", "stop", false}, {"", "stop", false}, {"?", "!", false},
		{"👍", "👎", false}, {".", "", false},
	} {
		if got := Plain(c.typed) == Plain(c.word); got != c.same {
			t.Errorf("%q and %q: %t (%q, %q)", c.typed, c.word, got, Plain(c.typed), Plain(c.word))
		}
	}
}
