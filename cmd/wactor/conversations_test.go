package main

import (
	"strings"
	"sync/atomic"
	"testing"
)

// TestOperatorsOfDeadLetters looks at a dead letter, and takes it up again, by the commands.
func TestOperatorsOfDeadLetters(t *testing.T) {
	var fixed atomic.Bool
	s := play(t, "", func(one turn) string {
		if fixed.Load() {
			return echo(one)
		}
		return "400"
	})
	s.say("one")
	s.await("a dead letter", func() bool { return len(s.letters(player)) == 1 })
	fixed.Store(true)
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"dead-letters", 0, "shop  " + player + "  1 since "},
		{"dead-letters --json", 0, `"reason": "bot: http 400"`},
		{"dead-letters --channel nowhere", 1, "no such channel"},
		{"dead-letters " + player, 0, "       message text: one\n"},
		{"dead-letters --json " + player, 0, `"text": `},
		{"dead-letters 1", 0, "no dead letters"},
		{"retry " + player + " 1 --text sorry", 1, "wactor: dead letter 1 holds no reply"},
		{"retry " + player + " 7 --text sorry", 1, "no such dead letter"},
		{"retry " + player + " one", 1, "SEQ is the number"},
		{"retry " + player + " 1", 0, "dead letter 1 is taken up again"},
		{"skip " + player + " 1", 1, "no such dead letter"},
		{"dead-letters", 0, "no dead letters"},
	} {
		out, problems, code := runMain(t, t.TempDir(), append([]string{"conversations", "--admin", s.admin},
			strings.Fields(c.args)...)...)
		if all := strings.ReplaceAll(out+problems, `":  "`, `": "`); code != c.code || !strings.Contains(all, c.want) {
			t.Errorf("wactor conversations %s: exit status %d, want %d and %q:\n%s", c.args, code, c.code, c.want, all)
		}
	}
	s.want("you said one")
}
