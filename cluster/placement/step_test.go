package placement

import (
	"slices"
	"strings"
	"testing"
)

// TestNext has a row for each rule. A replica is written as its node, of which it has the id ten
// times, one more for a second one on that node, and marks: * leads, l is a learner, o votes in the
// outgoing configuration only, b is behind, - is dead, s is suspected by gossip, u gives no sign of
// life.
func TestNext(t *testing.T) {
	for _, c := range []struct{ name, group, wanted, dead, want string }{
		{"nothing wanted", "1* 2 3", "", "", "none"},
		{"as wanted", "1* 2 3", "1 2 3", "", "none"},
		{"as wanted in another order", "1* 2 3", "1 3 2", "", "none"},
		{"joint", "1* 2 3 4o", "1 2 5", "", "wait"},
		{"joint without an outgoing voter", "1* 2 3 joint", "3 2 1", "", "wait"},
		{"no majority", "1* 2- 3-", "1 4 5", "", "wait"},
		{"no majority, says gossip", "1* 2s 3s", "1 4 5", "", "wait"},
		{"no majority, says the log", "1* 2u 3u 4l", "1 2 3", "", "wait"},
		{"led by a learner", "1*l 2 3", "1 2 3", "", "wait"},
		{"led from elsewhere", "2 3 4", "2 3 4", "", "wait"},

		{"first learner", "1*", "2 1 3", "", "add n2"},
		{"second learner", "1* 2l", "2 1 3", "", "add n3"},
		{"one at a time", "1* 2lb", "2 1 3", "", "wait"},
		{"a silent learner", "1* 2lu", "2 1 3", "", "wait"},
		{"a dead learner holds up no other", "1* 2lb-", "2 1 3", "", "add n3"},
		{"not on a dead node", "1* 2 3", "1 2 4", "4", "wait"},
		{"another than the dead one", "1*", "2 1 3", "2", "add n3"},
		{"one to three", "1* 2l 3l", "1 2 3", "", "change promote 20 30"},
		{"not to two", "1* 2l", "1 2 3", "3", "wait"},
		{"not to four", "1* 2l 3l 4l", "1 2 3 4 5", "5", "change promote 20 30"},
		{"three to one", "1* 2 3", "1", "", "change remove 20 30"},
		{"three to five", "1* 2 3 4l 5l", "1 2 3 4 5", "", "change promote 40 50"},
		{"replace", "1* 2 3 4l", "1 2 4", "", "change promote 40 remove 30"},
		{"replace the dead", "1* 2 3- 4l", "1 2 4", "", "change promote 40 remove 30"},
		{"replace after the voters that stay caught up", "1* 2b 3 4l", "1 2 4", "", "wait"},
		{"replace after the voters that stay answer", "1* 2u 3 4l", "1 2 4", "", "wait"},

		{"unwanted learner", "1* 2 3 4lb", "1 2 3", "", "change remove 40"},
		{"unwanted learner before another comes", "1* 2 3 4l-", "1 2 5", "", "change remove 40"},
		{"second replica of a node", "1* 2 3 2l", "1 2 3", "", "change remove 21"},

		{"two learners of a node", "1* 2 3 4l 4lb", "1 2 4", "", "change remove 40"},

		{"keep a live one while a wanted one is away", "1* 2 3 4l-", "1 2 4", "", "wait"},
		{"keep a dead one rather than have two", "1* 2 3-", "1 2 4", "4", "wait"},
		{"drop the dead one if a live one stands in", "1* 2 3 4- 5-", "1 2 6", "6", "change remove 40 50"},
		{"drop the dead ones where none stands in", "1* 2 3 4- 5-", "1 2 3 6 7", "6 7", "change remove 40 50"},
		{"what is there goes on", "1* 2 3 4l", "1 4 5", "5", "change promote 40 remove 30"},
		{"a wanted voter that is dead stays", "1* 2- 3 4l", "1 2 4", "", "change promote 40 remove 30"},
		{"five to three waits for the dead", "1* 2 3- 4 5", "1 2 3", "", "wait"},

		{"leader transfers", "1* 2 3 4l", "3 4 2", "", "transfer 30"},
		{"leader waits for the successor", "1* 2 3 4l", "4 3 2", "", "change promote 40"},
		{"leader and others wait for the successor", "1* 2 3 4l 5l", "4 5 2", "", "change promote 40 50"},
		{"then it transfers", "1* 2 3 4", "4 3 2", "", "transfer 40"},
		{"and is let go", "1 2 3 4*", "4 3 2", "", "change remove 10"},
		{"the successor died meanwhile", "1* 2 3 4-", "4 3 2", "", "wait"},
		{"another one is away: the leader does not wait for the successor", "1* 2 3- 4l", "4 2 3", "", "transfer 20"},
		{"nor does the next one", "1 2* 3- 4l", "4 2 3", "", "change promote 40 remove 10"},
		{"leader transfers to who is live", "1* 2 3- 4l", "3 4 2", "", "transfer 20"},
		{"leader has no successor yet", "1* 2l 3l 4l", "2 3 4", "", "change promote 20 30"},
		{"all go", "1* 2 3 4l 5l 6l", "4 5 6", "", "change promote 40 50 60 remove 30"},
		{"three to another one", "1* 2 3 4l", "4", "", "change promote 40 remove 30"},
		{"one to another one", "1* 2l", "2", "", "change promote 20 remove 10"},
		{"leader stays while it stands in", "1* 2 3 4l", "2 4 5", "5", "change promote 40 remove 30"},

		{"preferred leader", "1* 2 3", "2 1 3", "", "transfer 20"},
		{"preferred leader behind", "1* 2b 3", "2 1 3", "", "none"},
		{"preferred leader dead", "1* 2- 3", "2 1 3", "", "none"},
		{"preferred leader suspected", "1* 2s 3", "2 1 3", "", "none"},
		{"preferred leader is silent", "1* 2u 3", "2 1 3", "", "none"},

		{"leader suspected by gossip", "1*s 2 3 4 5", "1 2 3", "", "change remove 40 50"},
		{"leader always has the log", "1*b 2 3 4l", "1 2 4", "", "change promote 40 remove 30"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, dead := parseGroup(c.group)
			for _, node := range parseIDs(strings.Fields(c.dead)) {
				dead[node] = true
			}
			step := Next(g, parseIDs(strings.Fields(c.wanted)), func(node uint64) bool { return !dead[node] })
			if got := describe(step); got != c.want {
				t.Errorf("%s, wanted %s: %s, want %s", c.group, c.wanted, got, c.want)
			}
		})
	}
}

func parseGroup(text string) (Group, map[uint64]bool) {
	g, dead := Group{}, map[uint64]bool{}
	for _, word := range strings.Fields(text) {
		if word == "joint" {
			g.Joint = true
			continue
		}
		node := uint64(word[0] - '0')
		marked := func(marks string) bool { return strings.ContainsAny(word[1:], marks) }
		id := 10 * node
		if slices.ContainsFunc(g.Replicas, func(r Replica) bool { return r.ID == id }) {
			id++
		}
		g.Replicas = append(g.Replicas, Replica{
			ID: id, Node: node, Voter: !marked("lo"), Learner: marked("l"), Outgoing: marked("o"),
			CaughtUp: !marked("b"), Recent: !marked("u-"),
		})
		g.Joint = g.Joint || marked("o")
		dead[node] = marked("-s")
		if marked("*") {
			g.Self = node
		}
	}
	return g, dead
}
