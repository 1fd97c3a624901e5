package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/internal/problem"
)

// TestAConfigurationIsBounded: whatever a file holds is read or rejected soon, and in little
// memory.
func TestAConfigurationIsBounded(t *testing.T) {
	channel := `{ name: shop, provider: whatsapp_cloud, phone_number_id: "1", verify_token: a, access_token: c, bot: echo, `
	for name, c := range map[string]struct{ source, want string }{
		"large":        {"# " + strings.Repeat("x", maxFileBytes), "is larger than 256 KiB"},
		"brackets":     {"a: " + strings.Repeat("[", 100_000), "nested deeper than 32 levels"},
		"braces":       {"a: " + strings.Repeat("{a: ", 50_000), "nested deeper than 32 levels"},
		"dashes":       {strings.Repeat("- ", 100_000), "nested deeper than 32 levels"},
		"questions":    {strings.Repeat("? ", 100_000), "nested deeper than 32 levels"},
		"tags":         {"a: " + strings.Repeat("!!map ", 40_000), "nested deeper than 32 levels"},
		"keys":         {keyLines(20_000), "more than 5000 keys"},
		"problems":     {keyLines(maxKeys), "k0: unknown key"},
		"a value":      {`log: { level: "` + strings.Repeat("${X}", 50_000) + `" }`, "is longer than 64 KiB with its references"},
		"many values":  {"cluster: { join: [" + strings.Repeat(`"${X}", `, 1000) + "] }", "larger than 4 MiB together"},
		"many aliases": {"cluster: { join: [&a x, " + strings.Repeat("*a, ", 60_000) + "] }", "more than 20000 values"},
		"aliases of aliases": {"channels:\n  - &c " + channel + "app_secret: [&s x, " + strings.Repeat("*s, ", 1000) +
			"] }\n" + strings.Repeat("  - *c\n", 1000), "more than 20000 values"},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			env := func(string) (string, bool) { return strings.Repeat("y", 60_000), true }
			_, err := Parse("x.yaml", []byte(c.source), env, os.ReadFile, kinds)
			var problems problem.List
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%.300v, want %q", err, c.want)
			}
			if took := time.Since(began); len(problems) > maxProblems || took > 10*time.Second {
				t.Errorf("%d problems in %v", len(problems), took)
			}
		})
	}
}

func keyLines(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "k%d: 1\n", i)
	}
	return text.String()
}
