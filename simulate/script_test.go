package simulate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// tell writes a script down: a step in brackets, a webhook's messages as user.k, ~ before what was
// swapped, + for what is posted again.
func tell(s *script, steps int) string {
	var out strings.Builder
	for range steps {
		posts := s.step()
		if len(posts) == 0 {
			break
		}
		out.WriteByte('[')
		for i, p := range posts {
			if i > 0 {
				out.WriteByte(' ')
			}
			if p.swapped {
				out.WriteByte('~')
			}
			for j, m := range p.messages {
				if j > 0 {
					out.WriteByte(',')
				}
				fmt.Fprintf(&out, "%d.%d", m.user, m.k)
			}
			if p.again {
				out.WriteByte('+')
			}
		}
		out.WriteByte(']')
	}
	return out.String()
}

func TestScripts(t *testing.T) {
	for name, c := range map[string]struct {
		load  Load
		group int
		want  string
	}{
		"steady":  {Load{Pattern: Steady, Users: 3, Messages: 3}, 2, "[2.0][2.1][2.2]"},
		"pairs":   {Load{Pattern: Pairs, Users: 1, Messages: 5}, 0, "[0.0 0.1][0.2 0.3][0.4]"},
		"burst":   {Load{Pattern: Burst, Users: 1, Messages: 3}, 0, "[0.0 0.1 0.2]"},
		"batches": {Load{Pattern: Batches, Users: 12, Messages: 2}, 1, "[10.0,11.0][10.1,11.1]"},
		"all swapped": {Load{Pattern: Steady, Users: 1, Messages: 5, Swaps: 100}, 0,
			"[0.1][~0.0][0.3][~0.2][0.4]"},
		"all twice": {Load{Pattern: Pairs, Users: 1, Messages: 2, Duplicates: 100}, 0, "[0.0+ 0.1+]"},
		"bursts for a time": {Load{Pattern: Burst, Users: 1, Messages: 2, Duration: 1}, 0,
			"[0.0 0.1][0.2 0.3][0.4 0.5][0.6 0.7]"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tell(c.load.script(c.group), 4+c.load.Messages*min(1,
				int(1-c.load.Duration))); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestScriptsAreWhole: whatever is drawn, each message is posted once (and tapped five times), none
// more than one place from its own, and the same seed tells the same.
func TestScriptsAreWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := Load{
			Users: rapid.IntRange(1, 25).Draw(t, "users"), Messages: rapid.IntRange(1, 9).Draw(t, "messages"),
			Pattern:    rapid.SampledFrom(Patterns).Draw(t, "pattern"),
			Duplicates: rapid.IntRange(0, 100).Draw(t, "duplicates"), Swaps: rapid.IntRange(0, 100).Draw(t, "swaps"),
			Seed: rapid.Uint64().Draw(t, "seed"),
		}
		posted := map[int][]int{}
		for group := range o.groups() {
			if a, b := tell(o.script(group), 100), tell(o.script(group), 100); a != b {
				t.Fatalf("%s and %s", a, b)
			}
			s := o.script(group)
			if o.Pattern == Taps && len(o.script(group).step()) != tapsAtOnce {
				t.Fatal("a step of taps has another number of them")
			}
			for posts := s.step(); len(posts) > 0; posts = s.step() {
				for _, p := range posts {
					if p.tap > 1 {
						continue
					}
					for _, m := range p.messages {
						posted[m.user] = append(posted[m.user], m.k)
					}
				}
			}
		}
		if len(posted) != o.Users {
			t.Fatalf("%d of %d users write", len(posted), o.Users)
		}
		for user, ks := range posted {
			sorted := slices.Sorted(slices.Values(ks))
			for i, k := range ks {
				if len(ks) != o.Messages || sorted[i] != i || k < i-1 || k > i+1 {
					t.Fatalf("user %d posts %v", user, ks)
				}
			}
		}
	})
}
