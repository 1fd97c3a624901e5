package placement

import (
	"fmt"
	"slices"
	"strings"
)

// world is a group and its nodes, and carries out what Next tells.
type world struct {
	group  Group
	wanted []uint64
	dead   map[uint64]bool // by gossip
	unseen map[uint64]bool // unknown to every leader
	next   uint64          // the id of the next replica
	// demotes: a voter that leaves is a learner first.
	demotes bool
}

func newWorld(leader uint64, others ...uint64) *world {
	w := &world{group: Group{Self: leader}, next: 1, dead: map[uint64]bool{}, unseen: map[uint64]bool{}}
	for _, node := range append([]uint64{leader}, others...) {
		w.group.Replicas = append(w.group.Replicas, Replica{ID: w.newID(), Node: node, Voter: true, CaughtUp: true,
			Recent: true})
	}
	return w
}

func (w *world) newID() uint64 {
	w.next++
	return w.next - 1
}

func (w *world) alive(node uint64) bool { return !w.dead[node] }

// look refreshes what the leader has seen.
func (w *world) look() {
	for i := range w.group.Replicas {
		r := &w.group.Replicas[i]
		r.Recent = !w.unseen[r.Node]
		r.CaughtUp = r.CaughtUp || r.Node == w.group.Self
	}
}

func (w *world) tell() Step {
	w.look()
	return Next(w.group, w.wanted, w.alive)
}

func (w *world) carryOut(step Step) {
	switch step.Kind {
	case Add:
		for _, node := range step.Nodes {
			w.group.Replicas = append(w.group.Replicas, Replica{ID: w.newID(), Node: node, Learner: true})
		}
	case Change:
		w.begin(step)
	case Transfer:
		w.group.Self = w.replica(step.To).Node
	}
	w.look()
}

// begin enters a joint configuration, or removes learners at once.
func (w *world) begin(step Step) {
	w.group.Joint = len(step.Promote) > 0 ||
		slices.ContainsFunc(step.Remove, func(id uint64) bool { return w.replica(id).Voter })
	if !w.group.Joint {
		w.group.Replicas = slices.DeleteFunc(w.group.Replicas,
			func(r Replica) bool { return slices.Contains(step.Remove, r.ID) })
		return
	}
	for i := range w.group.Replicas {
		r := &w.group.Replicas[i]
		r.Outgoing = r.Voter
		if slices.Contains(step.Promote, r.ID) {
			r.Voter, r.Learner = true, false
		}
		if slices.Contains(step.Remove, r.ID) {
			r.Voter = false
		}
	}
}

// leave ends a joint configuration.
func (w *world) leave() {
	w.group.Joint = false
	if !w.demotes {
		w.group.Replicas = slices.DeleteFunc(w.group.Replicas, func(r Replica) bool { return r.Outgoing && !r.Voter })
	}
	for i := range w.group.Replicas {
		r := &w.group.Replicas[i]
		r.Outgoing, r.Learner = false, !r.Voter
	}
}

func (w *world) replica(id uint64) *Replica {
	for i := range w.group.Replicas {
		if w.group.Replicas[i].ID == id {
			return &w.group.Replicas[i]
		}
	}
	panic(fmt.Sprintf("no replica %d", id))
}

func (w *world) on(node uint64) *Replica {
	for i := range w.group.Replicas {
		if w.group.Replicas[i].Node == node {
			return &w.group.Replicas[i]
		}
	}
	return nil
}

// majority reports whether both halves of the configuration have a majority that the leader sees.
func (w *world) majority() bool {
	return w.majorityIn(func(r Replica) bool { return r.Voter }) && (!w.group.Joint ||
		w.majorityIn(func(r Replica) bool { return r.Outgoing }))
}

func (w *world) majorityIn(in func(Replica) bool) bool {
	all, alive := 0, 0
	for _, r := range w.group.Replicas {
		if in(r) {
			all++
			if !w.unseen[r.Node] {
				alive++
			}
		}
	}
	return 2*alive > all
}

// String shows the group: each replica as id@node, with what it is and what is wrong with it.
func (w *world) String() string {
	var words []string
	for _, r := range w.group.Replicas {
		word := fmt.Sprintf("%d@n%d", r.ID, r.Node)
		for _, mark := range []struct {
			text string
			set  bool
		}{
			{" voter", r.Voter && !r.Outgoing && w.group.Joint}, {" outgoing", r.Outgoing && !r.Voter},
			{" learner", r.Learner},
			{" behind", !r.CaughtUp}, {" dead", w.dead[r.Node]}, {" unseen", w.unseen[r.Node] && !w.dead[r.Node]},
		} {
			if mark.set {
				word += mark.text
			}
		}
		words = append(words, word)
	}
	if w.group.Joint {
		words = append(words, "joint")
	}
	return fmt.Sprintf("leader n%d: %s", w.group.Self, strings.Join(words, ", "))
}
