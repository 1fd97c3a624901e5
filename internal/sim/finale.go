package sim

import (
	"fmt"
	"slices"
)

// unwell says what is not as it has to be once all is healed; empty where all is well.
func (w *World) unwell() string {
	for _, n := range w.nodes {
		if !n.up() {
			return fmt.Sprintf("node %d is down", n.index)
		}
	}
	for _, p := range w.persons {
		for _, m := range p.messages {
			if !m.acknowledged {
				return fmt.Sprintf("message %s is not accepted", m.id)
			}
		}
	}
	for _, u := range w.users {
		if p := w.leader(u.shard); p != nil && len((letters{w}).of(p, u)) > 0 {
			return fmt.Sprintf("conversation %d has dead letters", u.index)
		}
	}
	for _, o := range w.operators {
		if why := o.unwell(); why != "" {
			return fmt.Sprintf("shard %d: %s", o.shard, why)
		}
	}
	return ""
}

// leader is the one process that leads a shard; nil where there is none, or more than one.
func (w *World) leader(shard uint32) (leader *process) {
	for _, n := range w.nodes {
		if n.up() && n.proc.leads[shard].Ready {
			if leader != nil {
				return nil
			}
			leader = n.proc
		}
	}
	return leader
}

func (o *operator) unwell() string {
	p := o.w.leader(o.shard)
	if p == nil {
		return "no leader"
	}
	g, _ := p.group(o.shard)
	if !o.placed(p) || g.Joint || len(g.Members) != len(o.wanted) {
		return fmt.Sprintf("led by node %d, wanted on %v, is on %+v", p.index, ids(o.wanted), g.Members)
	}
	for _, n := range o.w.nodes {
		has, ok := n.proc.group(o.shard)
		wanted := false
		for _, m := range g.Members {
			wanted = wanted || m.Voter && m.Node == n.id
		}
		if wanted != slices.Contains(o.wanted, n) {
			return fmt.Sprintf("wanted on %v, is on %+v", ids(o.wanted), g.Members)
		}
		if !wanted && ok && has.Applied == 0 && has.Replica >= g.Next {
			continue // it was created for a wish that has changed since, and does no harm
		}
		if wanted != ok {
			return fmt.Sprintf("a replica on node %d: %v, wanted: %v", n.index, ok, wanted)
		}
		if ok && has.Applied != g.Applied {
			return fmt.Sprintf("node %d has applied up to %d of %d", n.index, has.Applied, g.Applied)
		}
	}
	var working []int
	_ = p.store.Work(o.shard, func(name string) error {
		working = append(working, o.w.userOf[name].index)
		return nil
	})
	if len(working) > 0 {
		return fmt.Sprintf("conversations %v have unfinished work", working)
	}
	return ""
}

// unanswered is the number of deliveries that routers have taken and not answered.
func (w *World) unanswered() (n int) {
	for _, node := range w.nodes {
		if node.proc != nil {
			n += node.proc.unanswered
		}
	}
	return n
}

// checkEnd holds what is left at the end against what was promised.
func (w *World) checkEnd() {
	for _, o := range w.operators {
		w.checkEqual(o)
	}
	for _, p := range w.persons {
		w.checkPerson(p)
	}
}

// checkEqual compares the replicas of a shard.
func (w *World) checkEqual(o *operator) {
	first, _, err := w.leader(o.shard).store.Checksum(o.shard)
	if err != nil {
		w.fail("shard %d: %v", o.shard, err)
	}
	for _, n := range o.wanted {
		if sum, _, err := n.proc.store.Checksum(o.shard); err != nil || sum != first {
			w.fail("shard %d: the replica on node %d differs: %v", o.shard, n.index, err)
		}
	}
}

// checkReplies holds what the provider took against the turns: each has one reply, in order,
// doubled only where it was in doubt.
func (w *World) checkReplies(a *account, idOf map[uint64]string) {
	u, taken := a.user, w.provider.taken[a.user.index]
	if len(taken) != len(a.turns) {
		w.fail("conversation %d: %d replies to %d turns", u.index, len(taken), len(a.turns))
		return
	}
	for i, r := range taken {
		version := uint64(i + 1)
		var ids []string
		for _, seq := range a.turns[version] {
			ids = append(ids, idOf[seq])
		}
		if want := replyText(version, ids); r.text != want {
			w.fail("conversation %d: reply %d is %q, want %q", u.index, version, r.text, want)
		}
		if r.times > 1 && !a.inDoubt[version] {
			w.fail("conversation %d: reply %d was taken %d times and never in doubt", u.index, version, r.times)
		}
	}
}
