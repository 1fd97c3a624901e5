package policy

import (
	"fmt"
	"slices"
)

// ErrWord reports a text that is none of a policy's words.
type ErrWord struct {
	// Text is what was read, Words are the ones that may stand there.
	Text  string
	Words []string
}

func (e *ErrWord) Error() string { return fmt.Sprintf("policy: %q is none of %q", e.Text, e.Words) }

// read sets a word by its place in the list of texts.
func read[W ~int](word *W, text []byte, texts []string) error {
	i := slices.Index(texts, string(text))
	if i < 0 {
		return &ErrWord{Text: string(text), Words: texts}
	}
	*word = W(i)
	return nil
}

// write returns the text of a word; a number in brackets where it has none.
func write[W ~int](word W, texts []string) string {
	if word < 0 || int(word) >= len(texts) {
		return fmt.Sprintf("(%d)", int(word))
	}
	return texts[word]
}
