package placement

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestNextArrives lets nodes die, be cut off, be suspected and come back, lets replicas fall
// behind, wishes and leaders change, and holds each step to what it must never do. Then all is well
// again, and the group has to become what is wanted.
func TestNextArrives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(1, rapid.SampledFrom([][]uint64{nil, {2, 3}, {2, 3, 4, 5}}).Draw(t, "others")...)
		w.demotes = rapid.Bool().Draw(t, "demotes")
		node := rapid.Uint64Range(1, 9)
		want := func(t *rapid.T) {
			w.wanted = rapid.Permutation([]uint64{1, 2, 3, 4, 5, 6, 7, 8, 9}).Draw(t,
				"wanted")[:rapid.SampledFrom([]int{1, 3, 3, 5}).Draw(t, "count")]
		}
		step := func(t *rapid.T) { takeStep(t, w) }
		t.Repeat(map[string]func(*rapid.T){
			"want":   want,
			"step":   step,
			"leave":  func(t *rapid.T) { endJoint(t, w) },
			"go on":  func(t *rapid.T) { goOn(t, w) },
			"and on": func(t *rapid.T) { goOn(t, w) }, // as often again, so that disturbances find it under way
			"catch up": func(t *rapid.T) {
				if r := w.on(node.Draw(t, "node")); r != nil {
					r.CaughtUp = !w.unseen[r.Node]
				}
			},
			"fall behind": func(t *rapid.T) {
				if r := w.on(node.Draw(t, "node")); r != nil {
					r.CaughtUp = false
				}
			},
			"die": func(t *rapid.T) { n := node.Draw(t, "node"); w.dead[n], w.unseen[n] = true, true; elect(t, w) },
			"cut off": func(t *rapid.T) {
				n := node.Draw(t, "node")
				w.dead[n], w.unseen[n] = false, true
				elect(t,
					w)
			},
			"suspect": func(t *rapid.T) { n := node.Draw(t, "node"); w.dead[n], w.unseen[n] = true, false },
			"recover": func(t *rapid.T) {
				n := node.Draw(t, "node")
				w.dead[n], w.unseen[n] = false, false
				elect(t,
					w)
			},
		})
		want(t)
		settle(t, w)
	})
}

// TestLeadershipIsTransferredOnce: while nothing fails, whatever nodes a group goes from and to.
func TestLeadershipIsTransferredOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes := rapid.SampledFrom([][]uint64{nil, {2, 3}, {2, 3, 4, 5}})
		w := newWorld(1, nodes.Draw(t, "others")...)
		w.demotes = true
		w.wanted = rapid.Permutation([]uint64{1, 2, 3, 4, 5, 6, 7, 8, 9}).Draw(t, "wanted")[:rapid.SampledFrom([]int{1,
			3, 3, 5}).Draw(t, "count")]
		leader, given := w.group.Self, 0
		for goOn(t, w) != None {
			if w.group.Self != leader {
				leader, given = w.group.Self, given+1
			}
		}
		if given > 1 {
			t.Fatalf("the leadership was transferred %d times: %v", given, w)
		}
	})
}

// settle heals the nodes, all or those that are needed, and lets the group finish.
func settle(t *rapid.T, w *world) {
	clear(w.dead)
	clear(w.unseen)
	elect(t, w)
	for w.group.Joint {
		endJoint(t, w)
	}
	// Unwanted ones may stay away, as long as there is a majority.
	for _, r := range w.group.Replicas {
		if !slices.Contains(w.wanted, r.Node) && rapid.Bool().Draw(t, "away") {
			w.unseen[r.Node] = true
			if w.dead[r.Node] = w.majority(); !w.majority() {
				w.unseen[r.Node] = false
			}
		}
	}
	elect(t, w)
	for steps := 0; goOn(t, w) != None && steps < 40; steps++ {
	}
	var voters []uint64
	for _, r := range w.group.Replicas {
		if r.Voter {
			voters = append(voters, r.Node)
		}
	}
	slices.Sort(voters)
	if want := slices.Sorted(slices.Values(w.wanted)); !slices.Equal(voters, want) ||
		len(voters) != len(w.group.Replicas) || w.group.Self != w.wanted[0] {
		t.Fatalf("wanted %v, ended with %v and step %v", w.wanted, w, w.tell())
	}
}

// goOn lets live replicas catch up, takes a step, and lets a joint configuration end.
func goOn(t *rapid.T, w *world) Kind {
	for i := range w.group.Replicas {
		r := &w.group.Replicas[i]
		r.CaughtUp = r.CaughtUp || !w.unseen[r.Node]
	}
	kind := takeStep(t, w)
	endJoint(t, w)
	return kind
}

// takeStep asks for a step, checks it, and carries it out, unless there is no leader who could.
func takeStep(t *rapid.T, w *world) Kind {
	if w.unseen[w.group.Self] || !w.majority() || len(w.wanted) == 0 {
		return Wait
	}
	step := w.tell()
	before := w.String()
	if w.group.Joint && step.Kind != Wait {
		t.Fatalf("%s: %v within a joint configuration", before, step)
	}
	switch step.Kind {
	case Add:
		checkAdd(t, w, step)
	case Change:
		checkChange(t, w, step)
	case Transfer:
		if to := w.replica(step.To); !to.Voter || !to.CaughtUp || w.unseen[to.Node] || w.dead[to.Node] ||
			to.Node == w.group.Self {
			t.Fatalf("%s: %v", before, step)
		}
	}
	w.carryOut(step)
	if !w.majority() {
		t.Fatalf("%s: %v leaves no majority: %v", before, step, w)
	}
	return step.Kind
}

func checkAdd(t *rapid.T, w *world, step Step) {
	if len(step.Nodes) != 1 || w.dead[step.Nodes[0]] || w.on(step.Nodes[0]) != nil || !slices.Contains(w.wanted,
		step.Nodes[0]) {
		t.Fatalf("%v: %v with %v wanted", w, step, w.wanted)
	}
	for _, r := range w.group.Replicas {
		if r.Learner && !w.dead[r.Node] && (!r.CaughtUp || !r.Recent) {
			t.Fatalf("%v: %v while a learner catches up", w, step)
		}
	}
}

func checkChange(t *rapid.T, w *world, step Step) {
	live := func(r Replica) bool { return r.Node == w.group.Self || !w.unseen[r.Node] && !w.dead[r.Node] }
	before, voters, leaves, liveBefore, liveAfter, waiting := 0, 0, false, 0, 0, false
	for _, node := range w.wanted {
		waiting = waiting || w.dead[node] && node != w.group.Self
	}
	for _, r := range w.group.Replicas {
		promoted, removed := slices.Contains(step.Promote, r.ID), slices.Contains(step.Remove, r.ID)
		switch wanted := slices.Contains(w.wanted, r.Node); {
		case promoted && (!r.Learner || !r.CaughtUp || !live(r) || !wanted || removed), removed && wanted:
			t.Fatalf("%v: %v with %v wanted", w, step, w.wanted)
		case removed && r.Node == w.group.Self && len(step.Promote) != 1 || removed && r.Node == w.group.Self &&
			len(w.wanted) != 1:
			t.Fatalf("%v: the leader removes itself: %v", w, step)
		}
		if r.Voter {
			before++
			if live(r) {
				liveBefore++
			}
		}
		if promoted || r.Voter && !removed {
			voters++
			leaves = leaves || r.Node == w.group.Self && !slices.Contains(w.wanted, r.Node)
			if live(r) {
				liveAfter++
			}
		}
	}
	even := voters%2 == 0 && voters != before // only learners go otherwise
	if even && !(leaves && voters > 2) || 2*liveAfter <= voters || waiting && liveAfter < liveBefore {
		t.Fatalf("%v: %v leaves %d live voters of %d, there were %d", w, step, liveAfter, voters, liveBefore)
	}
}

// endJoint lets raft leave a joint configuration. A leader that is removed leaves an election
// behind.
func endJoint(t *rapid.T, w *world) {
	if w.group.Joint && !w.unseen[w.group.Self] && w.majority() {
		w.leave()
		elect(t, w)
	}
}

// elect gives the group a leader, if the one it has is gone and there is a majority. Any replica
// that is elected has all that is committed.
func elect(t *rapid.T, w *world) {
	leader := w.on(w.group.Self)
	if !w.majority() || leader != nil && !w.unseen[leader.Node] && (leader.Voter || leader.Outgoing) {
		return
	}
	var electable []*Replica
	for i := range w.group.Replicas {
		if r := &w.group.Replicas[i]; !w.unseen[r.Node] && r.Voter {
			electable = append(electable, r)
		}
	}
	elected := electable[rapid.IntRange(0, len(electable)-1).Draw(t, "elected")]
	elected.CaughtUp = true
	w.group.Self = elected.Node
	w.look()
}
