package fit

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestSplit: every part fits and has something to read, and nothing but white space is lost.
func TestSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("ab ä\n🙂"))).Filter(func(s string) bool {
			return strings.TrimSpace(s) != ""
		}).Draw(t, "text")
		limit := rapid.IntRange(1, 12).Draw(t, "limit")
		parts := split(text, limit)
		for _, part := range parts {
			if utf8.RuneCountInString(part) > limit || strings.TrimSpace(part) == "" {
				t.Fatalf("split(%q, %d) = %q", text, limit, parts)
			}
		}
		if got, want := letters(strings.Join(parts, "")), letters(text); got != want {
			t.Fatalf("split(%q, %d) lost something: %q", text, limit, parts)
		}
	})
}

func letters(text string) string { return strings.Join(strings.Fields(text), "") }

func TestSplitCutsWherePeopleDo(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"short", []string{"short"}},
		{"one two three", []string{"one two", "three"}},
		{"one two\nthree", []string{"one two", "three"}},
		{"one\n\ntwo three", []string{"one\n\ntwo", "three"}},
		{"onetwothreefour", []string{"onetwothre", "efour"}},
		{"a " + strings.Repeat("b", 12), []string{"a bbbbbbbb", "bbbb"}},
	} {
		if got := split(c.text, 10); strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("split(%q) = %q, want %q", c.text, got, c.want)
		}
	}
}

func TestCut(t *testing.T) {
	for text, want := range map[string]string{
		"short": "short", "ten chars!": "ten chars!", "eleven char": "eleven ch…", "äöüäöüäöüä": "äöüäöüäöüä",
		"before   the end": "before…",
	} {
		if got := Cut(text, 10); got != want {
			t.Errorf("Cut(%q) = %q, want %q", text, got, want)
		}
	}
}
