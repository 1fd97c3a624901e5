package flow_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/internal/problem"
)

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
		_, err := flow.Parse("x", []byte(src))
		problems, ok := err.(problem.List)
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
