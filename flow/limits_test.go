package flow

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

func TestFit(t *testing.T) {
	for text, want := range map[string]string{
		"short": "short", "ten chars!": "ten chars!", "eleven char": "eleven ch…", "äöüäöüäöüä": "äöüäöüäöüä",
		"before   the end": "before…",
	} {
		if got := fit(text, 10); got != want {
			t.Errorf("fit(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestLocate: an error inside a scalar is reported where it is written, whatever the style of the
// scalar.
func TestLocate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.StringOfN(rapid.SampledFrom([]rune("ab ä'\"\\\n🙂:")), 0, 20, -1).Draw(t, "before")
		style := rapid.SampledFrom([]string{"single", "double", "literal"}).Draw(t, "style")
		if style == "single" {
			before = strings.ReplaceAll(before, "\n", " ") // a line break is folded there
		}
		scalar := write(style, "x"+before+"{{ nix }}")
		src := "name: x\nstart: a\nsteps:\n  a:\n    say: " + scalar + "\n    end: true\n"
		_, err := Parse("x", []byte(src))
		problems, ok := err.(Problems)
		if !ok || len(problems) != 1 {
			t.Fatalf("%s: %v", src, err)
		}
		lines := strings.Split(src, "\n")
		line := []rune(lines[problems[0].Line-1])
		if at := problems[0].Column - 1; at > len(line) || !strings.HasPrefix(string(line[at:]), "nix") {
			t.Fatalf("%v is not where nix is:\n%s", problems, src)
		}
	})
}

// write makes YAML of a text.
func write(style, text string) string {
	switch style {
	case "single":
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	case "double":
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "ä", `\u00e4`).Replace(text) + `"`
	}
	return "|\n      " + strings.ReplaceAll(text, "\n", "\n      ")
}
