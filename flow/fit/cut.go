package fit

import (
	"strings"
	"unicode/utf8"
)

// Cut shortens what WhatsApp would reject: titles, headers, footers and captions are cut,
// with an ellipsis. To fail instead would leave a user without an answer because of, say, a long
// product name.
func Cut(text string, limit int) string {
	if len(text) <= limit || utf8.RuneCountInString(text) <= limit {
		return text
	}
	runes := []rune(text)
	return strings.TrimRight(string(runes[:limit-1]), " \n") + "…"
}

// split cuts a long text into messages of at most limit characters: at the last paragraph, line or
// word that fits. Nothing of it is lost but the white space at the cuts.
func split(text string, limit int) []string {
	var parts []string
	for utf8.RuneCountInString(text) > limit {
		window := prefix(text, limit)
		cut := len(window)
		for _, separator := range []string{"\n\n", "\n", " "} {
			// A cut in the first half would make more messages than a reader wants.
			if at := strings.LastIndex(window, separator); at > len(window)/2 {
				cut = at
				break
			}
		}
		if part := strings.TrimSpace(text[:cut]); part != "" {
			parts = append(parts, part)
		}
		text = strings.TrimLeft(text[cut:], " \n")
	}
	if strings.TrimSpace(text) == "" && len(parts) > 0 {
		return parts
	}
	return append(parts, text)
}

// prefix returns the first n characters.
func prefix(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}
