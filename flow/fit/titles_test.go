package fit

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTitlesAlikeWhenCutDiffer(t *testing.T) {
	for _, c := range []struct {
		limit        int
		titles, want []string
	}{
		{20, []string{"Yes", "No"}, []string{"Yes", "No"}},
		{20, []string{"Appointment for a child under five", "Appointment for a child over five"},
			[]string{"Appointme…under five", "Appointmen…over five"}},
		{20, []string{"Pretzel", "Pretzel"}, []string{"1. Pretzel", "2. Pretzel"}},
		{20, []string{"Pretzel", "Bread", "Pretzel"}, []string{"1. Pretzel", "2. Bread", "3. Pretzel"}},
		{20, []string{"", " \n", "Bread"}, []string{"1", "2", "Bread"}},
		{20, []string{"2", ""}, []string{"1. 2", "2."}},
		{20, []string{strings.Repeat("a", 30) + "b", strings.Repeat("a", 30) + "c"},
			[]string{"1. " + strings.Repeat("a", 16) + "…", "2. " + strings.Repeat("a", 16) + "…"}},
	} {
		got := Titles(c.titles, c.limit)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.titles, diff)
		}
	}
}

func TestTitlesAlwaysFitAndDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom([]int{20, 24}).Draw(t, "limit")
		stem := rapid.StringN(0, 30, -1).Draw(t, "stem")
		titles := rapid.SliceOfN(rapid.Map(rapid.StringN(0, 8, -1), func(end string) string { return stem + end }),
			1, 10).Draw(t, "titles")
		got := Titles(slices.Clone(titles), limit)
		for i, title := range got {
			if n := utf8.RuneCountInString(title); n > limit || strings.TrimSpace(title) == "" {
				t.Fatalf("%q: %d characters of %q", titles, n, title)
			}
			if slices.Contains(got[:i], title) {
				t.Fatalf("%q: %q twice", titles, title)
			}
		}
	})
}
