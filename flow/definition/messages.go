package definition

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/wactor/wactor/provider"
)

// Active are the types of messages that enter steps and answer questions.
var Active = active()

func active() map[string]bool {
	types := map[string]bool{}
	for _, kind := range provider.Said {
		types[kind] = true
	}
	return types
}

// Passive are the types that a flow can handle by its key on. Without a handler they change nothing
// and get no answer, as those types that the provider has yet to invent: a reaction is no answer to
// a question.
var Passive = map[string]bool{
	"reaction": true, "edit": true, "revoke": true, "system": true, "unsupported": true, "unreadable": true,
	"request_welcome": true, "failed": true,
}

// Fold makes what a user types comparable: case and white space do not matter.
func Fold(text string) string {
	return strings.ToLower(strings.Join(strings.Fields(text), " "))
}

// Plain makes a word that a user types comparable as people mean it: case, accents, white space and
// the punctuation around it do not matter, so that "Stop.", "stop!" and "STÓP" are one. A text of
// nothing but punctuation is only folded.
func Plain(text string) string {
	bare := strings.TrimFunc(text, func(c rune) bool {
		return unicode.IsSpace(c) || unicode.IsPunct(c) || unicode.IsSymbol(c) || unicode.Is(unicode.Cf, c) ||
			unicode.Is(unicode.M, c)
	})
	if bare == "" {
		return Fold(text)
	}
	if isASCII(bare) {
		return Fold(bare)
	}
	letters := strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Mn, c) || unicode.Is(unicode.Cf, c) {
			return -1
		}
		return c
	}, norm.NFKD.String(bare))
	return Fold(letters)
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
