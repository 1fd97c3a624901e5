package placement

import (
	"cmp"
	"slices"
)

// plan answers questions about a group on its way to the wanted nodes.
type plan struct {
	group  Group
	wanted []uint64
	alive  func(node uint64) bool
}

// target is a configuration that a group can change to.
type target struct {
	voters          []Replica
	promote, remove []Replica
}

func (t target) unchanged() bool {
	return len(t.promote) == 0 && len(t.remove) == 0
}

func (t target) step() Step {
	return Step{Kind: Change, Promote: ids(t.promote), Remove: ids(t.remove)}
}

// target returns the voters that the group should have next: those on wanted nodes, and the
// learners there that are ready.
//
// A wanted node without a voter, because it is dead, is stood in for by an unwanted voter,
// as long as one is live: a group does not lose a replica before the new one is there. A wanted
// voter that is dead stays, for to remove it would cost a copy when it comes back; how long it is
// wanted is the meta group's to say.
//
// An even number of voters stands no more failures than the odd one below, and two stand fewer than
// one. So one more unwanted voter is kept, or else the last learner has to wait. Where
// there is neither, nothing is left to change.
//
// With keepLeader, the leader is one of those that stay.
func (p plan) target(keepLeader bool) target {
	var goal target
	for _, node := range p.wanted {
		r, exists := p.on(node)
		switch {
		case exists && r.Voter:
			goal.voters = append(goal.voters, r)
		case exists && p.ready(r):
			goal.promote = append(goal.promote, r)
		}
	}
	missing := len(p.wanted) - len(goal.voters) - len(goal.promote)
	spare := p.unwantedVoters()
	keep := 0
	for keep < len(spare) && keep < missing && p.live(spare[keep]) {
		keep++
	}
	if keepLeader {
		keep = max(keep, 1) // the first of spare is the leader
	}
	if (len(goal.voters)+len(goal.promote)+keep)%2 == 0 {
		switch {
		case keep < len(spare):
			keep++
		case len(goal.promote) > 0:
			goal.promote = goal.promote[:len(goal.promote)-1]
		}
	}
	goal.voters = slices.Concat(goal.voters, goal.promote, spare[:keep])
	goal.remove = spare[keep:]
	return goal
}

// safe reports whether the group may change to a target. It waits for wanted nodes that are alive
// and lag behind; and for dead ones, as long as the voters there are have more live ones among
// them.
func (p plan) safe(goal target) bool {
	waiting := false
	for _, node := range p.wanted {
		if r, exists := p.on(node); p.up(node) && !(exists && p.ready(r)) {
			return false
		}
		waiting = waiting || !p.up(node)
	}
	fewer := p.countLive(goal.voters) < p.countLive(p.voters())
	// The majority follows from the rest. It is asked for all the same, since nothing else here
	// must be wrong less.
	return p.majority(goal.voters) && !(waiting && fewer)
}

func (p plan) voters() []Replica {
	return p.filter(func(r Replica) bool { return r.Voter })
}

// unwantedVoters returns the unwanted voters, the best to keep first: the leader, then who
// is live, then who has caught up.
func (p plan) unwantedVoters() []Replica {
	found := p.filter(func(r Replica) bool { return r.Voter && !p.isWanted(r) })
	rank := func(r Replica) int {
		switch {
		case p.isSelf(r):
			return 0
		case p.ready(r):
			return 1
		case p.live(r):
			return 2
		}
		return 3
	}
	slices.SortFunc(found, func(a, b Replica) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.ID,
			b.ID))
	})
	return found
}

func (p plan) unwantedLearners() []Replica {
	return p.filter(func(r Replica) bool { return !r.Voter && !p.isWanted(r) })
}

func (p plan) filter(matches func(Replica) bool) []Replica {
	return slices.DeleteFunc(slices.Clone(p.group.Replicas), func(r Replica) bool { return !matches(r) })
}

// isWanted reports whether a replica is the one that its node is wanted for.
func (p plan) isWanted(r Replica) bool {
	chosen, _ := p.on(r.Node)
	return slices.Contains(p.wanted, r.Node) && chosen.ID == r.ID
}

// on returns the replica of a node. Should it have several, that is a voter, or the newest.
func (p plan) on(node uint64) (Replica, bool) {
	found := p.filter(func(r Replica) bool { return r.Node == node })
	if len(found) == 0 {
		return Replica{}, false
	}
	return slices.MaxFunc(found, func(a, b Replica) int {
		if a.Voter != b.Voter {
			if a.Voter {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.ID, b.ID)
	}), true
}

// isMissed reports whether a wanted node is not there.
func (p plan) isMissed() bool {
	return slices.ContainsFunc(p.wanted, func(node uint64) bool { return !p.up(node) })
}

func (p plan) isPreferred(r Replica) bool {
	return r.Node == p.wanted[0]
}

func (p plan) isSelf(r Replica) bool {
	return r.Node == p.group.Self
}

// up reports whether a node is alive; the leader is.
func (p plan) up(node uint64) bool {
	return node == p.group.Self || p.alive(node)
}

// live reports whether a replica can be counted on for a majority. Gossip and the log must agree:
// either can be late.
func (p plan) live(r Replica) bool {
	return p.isSelf(r) || r.Recent && p.alive(r.Node)
}

// ready reports whether a replica could vote, and be leader, at once.
func (p plan) ready(r Replica) bool {
	return p.isSelf(r) || r.CaughtUp && p.live(r)
}

func (p plan) countLive(replicas []Replica) int {
	count := 0
	for _, r := range replicas {
		if p.live(r) {
			count++
		}
	}
	return count
}

// majority reports whether more than half of the replicas are live.
func (p plan) majority(replicas []Replica) bool {
	return 2*p.countLive(replicas) > len(replicas)
}
