package simulate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestViolationsHaveExamples: each kind of violation is shown once, with what is needed to find it
// in the bot's own logs.
func TestViolationsHaveExamples(t *testing.T) {
	at := func(replies []reply, ms ...int64) []reply {
		for i := range replies {
			replies[i].atNs = ms[i] * 1e6
		}
		return replies
	}
	again := answers(1, 0, 1, 0)
	again[0].id, again[1].id = "a", "a"
	lost := sent(3)
	lost[1].acceptedNs = 7e6
	for name, c := range map[string]struct {
		messages []message
		replies  []reply
		want     []string
	}{
		"right": {sent(2), answers(1, 0, 2, 1), nil},
		"lost": {lost, answers(1, 0, 2, 2),
			[]string{`user 4917: "r 1.1" was accepted and never replied to, at 7.0 ms`}},
		"doubled": {sent(2), at(answers(1, 0, 2, 0, 3, 1), 1, 2, 3),
			[]string{`user 4917: step 2 is a second reply to "r 1.0", at 2.0 ms`}},
		"raced": {sent(2), at(answers(1, 0, 1, 1), 4, 5),
			[]string{`user 4917: step 1 answers "r 1.1", and "r 1.0" before, at 5.0 ms`}},
		"steps in wrong order": {[]message{{postedNs: 1, acceptedNs: 9}, {postedNs: 2, acceptedNs: 8}},
			at(answers(2, 0, 1, 1), 4, 6),
			[]string{`user 4917: step 1, to "r 1.1", came after the reply to "r 1.0", at 6.0 ms`}},
		"messages in wrong order": {sent(2), at(answers(1, 1, 2, 0), 4, 6),
			[]string{`user 4917: step 2, to "r 1.0", came after the reply to "r 1.1", at 6.0 ms`}},
		"skipped": {sent(2), answers(4, 0, 6, 1), []string{`user 4917: no reply has step 5`}},
		"stray": {sent(1), append(answers(1, 0), reply{atNs: 8e6}), []string{
			`user 4917: a reply is no counter's, or answers no message of this user, at 8.0 ms`}},
		"resent": {sent(1), at(again, 1, 2),
			[]string{`user 4917: step 1, to "r 1.0", was sent again with the same id, at 2.0 ms`}},
		"two kinds, one of each": {sent(4), at(answers(1, 0, 1, 1, 1, 2), 1, 2, 3), []string{
			`user 4917: step 1 answers "r 1.1", and "r 1.0" before, at 2.0 ms`,
			`user 4917: "r 1.3" was accepted and never replied to, at 0.0 ms`}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecord(&Options{Load: Load{Users: 2, FirstUser: 4916}}, "r")
			r.users[1].messages, r.users[1].replies = c.messages, c.replies
			var got []string
			_, _, found := r.check()
			for _, one := range found {
				got = append(got, one.String())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReportShowsExamples(t *testing.T) {
	var out strings.Builder
	report := simulateOn(t, "race", func(o *Options) { o.Duplicates = 30 })
	report.Write(&out)
	if len(report.Examples) == 0 || !strings.Contains(out.String(), "raced: user 49151000000") {
		t.Errorf("%s", out.String())
	}
}
