package simulate

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sent makes messages that were posted and accepted one after the other.
func sent(n int) []message {
	out := make([]message, n)
	for i := range out {
		out[i] = message{postedNs: int64(10*i + 1), acceptedNs: int64(10*i + 2), sentS: int64(i)}
	}
	return out
}

func answers(pairs ...int) []reply {
	var out []reply
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, reply{step: int64(pairs[i]), ks: []int{pairs[i+1]}})
	}
	return out
}

func TestCheckUser(t *testing.T) {
	swapped := sent(2)
	swapped[0].sentS = 5 // sent after the other one, says the webhook
	refused := sent(3)
	refused[1].acceptedNs = 0
	together := []message{{postedNs: 1, acceptedNs: 9}, {postedNs: 2, acceptedNs: 8}}
	named := func(ids ...string) []reply {
		out := answers(1, 0, 1, 0)
		out[0].id, out[1].id = ids[0], ids[1]
		return out
	}
	broken := named("a", "a")
	broken[0].broken = true
	oneID := answers(1, 0, 2, 1)
	oneID[0].id, oneID[1].id = "campaign", "campaign"
	late := append(answers(1, 0, 2, 1), reply{step: 1, ks: []int{0}, id: "a"})
	late[0].id, late[1].id = "a", "b"
	for name, c := range map[string]struct {
		messages []message
		replies  []reply
		want     Counts
	}{
		"right":                           {sent(3), answers(1, 0, 2, 1, 3, 2), Counts{}},
		"a counter that went on":          {sent(2), answers(7, 0, 8, 1), Counts{}},
		"lost":                            {sent(3), answers(1, 0, 2, 2), Counts{Lost: 1}},
		"never accepted":                  {refused, answers(1, 0, 2, 2), Counts{}},
		"ran twice":                       {sent(2), answers(1, 0, 2, 0, 3, 1), Counts{Doubled: 1}},
		"state read twice":                {sent(2), answers(1, 0, 1, 1), Counts{Raced: 1}},
		"replies in wrong order":          {together, answers(2, 0, 1, 1), Counts{OutOfOrder: 1}},
		"messages in wrong order":         {sent(2), answers(1, 1, 2, 0), Counts{OutOfOrder: 1}},
		"swapped by their times":          {swapped, answers(1, 1, 2, 0), Counts{}},
		"at once, in any order":           {together, answers(1, 1, 2, 0), Counts{}},
		"a step of which no reply speaks": {sent(2), answers(1, 0, 3, 1), Counts{Skipped: 1}},
		"stray": {sent(1), append(answers(1, 0), reply{}, reply{step: 2, ks: []int{99}}),
			Counts{Stray: 2}},
		"resent":                   {sent(1), named("a", "a"), Counts{Resent: 1}},
		"resent after a break":     {sent(1), broken, Counts{Resent: 1, ResentBroken: 1}},
		"no ids":                   {sent(1), named("", ""), Counts{Doubled: 1}},
		"one id for everything":    {sent(2), oneID, Counts{}},
		"resent too late":          {sent(2), late, Counts{Resent: 1}},
		"resent again and again":   {sent(1), append(named("a", "a"), named("a", "a")...), Counts{Resent: 3}},
		"ran twice, with one step": {sent(1), named("a", "b"), Counts{Doubled: 1}},
		"never posted":             {make([]message, 2), answers(1, 1), Counts{}},
		"answered before its 200":  {[]message{{postedNs: 1}}, answers(1, 0), Counts{}},
		"all raced":                {sent(3), answers(1, 0, 1, 1, 1, 2), Counts{Raced: 2}},
		"merged": {sent(5), []reply{{step: 1, ks: []int{0, 1, 2}}, {step: 2, ks: []int{3, 4}}},
			Counts{Replies: 2}},
		"merged and doubled": {sent(3), []reply{{step: 1, ks: []int{0, 1}}, {step: 2, ks: []int{1, 2}}},
			Counts{Doubled: 1, Replies: 2}},
		"merged in wrong order": {sent(3), []reply{{step: 1, ks: []int{1, 0}}, {step: 2, ks: []int{2}}},
			Counts{OutOfOrder: 1, Replies: 2}},
		"merged and raced": {sent(3), []reply{{step: 1, ks: []int{0, 1}}, {step: 1, ks: []int{2}}}, Counts{Raced: 1,
			Replies: 2}},
		"nothing at all": {sent(2), nil, Counts{Lost: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := checkUser(c.messages, c.replies)
			if c.want.Replies == 0 {
				got.Replies = 0
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestViolations(t *testing.T) {
	c := Counts{Resent: 3, ResentBroken: 2}
	if c.Violations(false) != 1 || c.Violations(true) != 0 {
		t.Errorf("violations %d and %d, want 1 and 0", c.Violations(false), c.Violations(true))
	}
}
