package placement

import "slices"

// Replica is one replica of a group, as its leader sees it.
type Replica struct {
	// ID is the id in the group's log. It is never used again.
	ID uint64
	// Node is where it lives. A node has at most one replica of a group that is wanted.
	Node uint64
	// Voter: it votes in the incoming configuration, which is the only one but for joint ones.
	Voter bool
	// Outgoing: it votes in the outgoing half of a joint configuration.
	Outgoing bool
	// Learner: it gets the log, and votes nowhere.
	Learner bool
	// CaughtUp: what it is known to have is near the commit index.
	CaughtUp bool
	// Recent: it gave a sign of life within an election timeout.
	Recent bool
}

// Group is a consensus group, as its leader sees it.
type Group struct {
	// Self is the node of the leader.
	Self     uint64
	Replicas []Replica
	// Joint: the group is between two configurations.
	Joint bool
}

// Kind is what a step does.
type Kind uint8

const (
	// None: the group is as wanted, or nothing is wanted of it.
	None Kind = iota
	// Wait: a change is under way, a replica must catch up or come back, or nothing better can be
	// done safely.
	Wait
	// Add: create a replica on each of Nodes, then add it as a learner.
	Add
	// Change: one change of the configuration that promotes the learners in Promote and removes the
	// replicas in Remove. A joint one, unless Remove holds learners only.
	Change
	// Transfer: give the leadership to the voter To.
	Transfer
)

func (k Kind) String() string {
	return [...]string{"none", "wait", "add", "change", "transfer"}[k]
}

// Step is what the leader of a group does next. Fields that its Kind does not speak of are empty.
type Step struct {
	Kind Kind
	// Nodes get a replica; one at a time.
	Nodes []uint64
	// Promote and Remove are ids of replicas. Voters in Remove are best made learners by the joint
	// change, and destroyed only when they are removed as such, in the step after: a voter that
	// takes the end of the joint configuration for done and is destroyed can be needed by others,
	// who do not know of that end yet, for a majority of the outgoing half.
	Promote, Remove []uint64
	// To is the id of a replica.
	To uint64
}

// Next tells the leader of a group its next step towards the wanted nodes, an odd number of which
// the first is the preferred leader. It remembers nothing: a step that was lost, rejected or half
// done comes again, from the leader of that time. Alive is what gossip says of a node; it and
// Recent must agree before a replica is counted on.
//
//   - Nodes are first added as learners, one at a time; replicas that are not wanted and that don't
//     vote are removed.
//   - When all wanted nodes that are alive have caught up, one joint change promotes and removes.
//     See target.go for whom it keeps while wanted nodes are dead.
//   - A change needs a live majority before and after it, and ends with an even number of voters
//     only where the leader leaves, its preferred successor takes the place, and none is missing:
//     then it is one voter more until the successor is leader. It never ends with two.
//   - A leader that has to leave transfers its leadership first. One without a successor promotes
//     first; only where it is the one voter, and is replaced by one, it removes itself, and the
//     other one elects itself.
//   - While nothing fails the leadership moves once at most: each time ends the conversations of
//     the shard.
//   - Last, the leadership goes to the preferred leader, if that is live and has caught up.
func Next(g Group, wanted []uint64, alive func(node uint64) bool) Step {
	p := plan{group: g, wanted: wanted, alive: alive}
	switch {
	case len(wanted) == 0:
		return Step{Kind: None}
	case g.Joint || slices.ContainsFunc(g.Replicas, func(r Replica) bool { return r.Outgoing }):
		return Step{Kind: Wait} // raft leaves it by itself
	case !slices.ContainsFunc(p.voters(), p.isSelf) || !p.majority(p.voters()):
		return Step{Kind: Wait}
	}
	if left := p.unwantedLearners(); len(left) > 0 {
		return Step{Kind: Change, Remove: ids(left)}
	}
	if step := p.addition(); step.Kind != None {
		return step
	}
	return p.change()
}

// addition adds a learner for a wanted node, and waits for one that catches up. It is None when
// there is nothing to add.
func (p plan) addition() Step {
	var missing []uint64
	for _, node := range p.wanted {
		r, exists := p.on(node)
		switch {
		case !p.up(node): // nothing to wait for
		case !exists:
			missing = append(missing, node)
		case r.Learner && !p.ready(r):
			return Step{Kind: Wait}
		}
	}
	if len(missing) > 0 {
		return Step{Kind: Add, Nodes: missing[:1]}
	}
	return Step{Kind: None}
}

// change brings the voters to their target, and the leadership to where it belongs.
func (p plan) change() Step {
	goal := p.target(false)
	if goal.unchanged() {
		return p.settle()
	}
	if !p.safe(goal) {
		return Step{Kind: Wait}
	}
	if slices.ContainsFunc(goal.voters, p.isSelf) {
		return goal.step()
	}
	// A leader made before the preferred successor votes would have to pass it on. While one is
	// missing it does all the same: with one voter more, who stays until the missing one is back,
	// all others would be needed.
	successor, found := p.successor(goal)
	if found && (!slices.ContainsFunc(goal.promote, p.isPreferred) || p.isMissed()) {
		return Step{Kind: Transfer, To: successor.ID}
	}
	if first := p.target(true); len(first.promote) > 0 {
		return first.step() // as safe as goal: one more who is live, for at most one learner less
	}
	if found {
		goal.remove = slices.DeleteFunc(goal.remove, p.isSelf) // and so is this
	}
	return goal.step()
}

// settle is for a group whose voters stay as they are.
func (p plan) settle() Step {
	for _, node := range p.wanted {
		if r, exists := p.on(node); !exists || !r.Voter {
			return Step{Kind: Wait}
		}
	}
	if preferred, _ := p.on(p.wanted[0]); preferred.Node != p.group.Self && p.ready(preferred) {
		return Step{Kind: Transfer, To: preferred.ID}
	}
	return Step{Kind: None}
}

// successor returns the first voter to which a leader that has to leave can transfer its
// leadership.
func (p plan) successor(goal target) (Replica, bool) {
	for _, node := range p.wanted {
		for _, r := range goal.voters {
			if r.Node == node && r.Voter && p.ready(r) {
				return r, true
			}
		}
	}
	return Replica{}, false
}

func ids(replicas []Replica) []uint64 {
	found := make([]uint64, 0, len(replicas))
	for _, r := range replicas {
		found = append(found, r.ID)
	}
	return found
}
