package sim

import (
	"slices"
	"time"

	"github.com/wactor/wactor/cluster/placement"
	"github.com/wactor/wactor/persistence/replication"
)

// operator wishes where the replicas of a shard are. The leader of the shard carries the wish out,
// step by step.
type operator struct {
	w     *World
	shard uint32
	// wanted are nodes, of which the first is the preferred leader.
	wanted []*node
}

// wish draws another wish.
func (o *operator) wish(most int) {
	nodes := slices.Clone(o.w.nodes)
	o.w.rng.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	o.wanted = nodes[:min(most, len(nodes))]
	for _, n := range o.wanted {
		o.w.record.note("shard %d is wanted on node %d", uint64(o.shard), uint64(n.index))
	}
}

// placed reports whether a shard has the leader that is wanted. In the seeds where nodes decide for
// themselves, any will do: a leadership that could not be transferred stays for a while.
func (o *operator) placed(leader *process) bool {
	if o.w.rules.expect == 0 {
		return leader.node == o.wanted[0]
	}
	o.wanted = nil
	for _, id := range leader.control.Wanted(o.shard) {
		o.wanted = append(o.wanted, o.w.nodeOf[id])
	}
	return len(o.wanted) > 0 && leader.store.Settled()
}

// run has each leader look after its shard from time to time.
func (o *operator) run() {
	for _, n := range o.w.nodes {
		if n.up() && n.proc.leads[o.shard].Ready {
			o.look(n.proc)
		}
	}
	o.w.after(o.w.between(40*time.Millisecond, 160*time.Millisecond), o.run)
}

func (p *process) group(shard uint32) (replication.Group, bool) {
	groups, err := p.store.Groups()
	if err != nil {
		p.w.fail("node %d can't tell its groups: %v", p.index, err)
	}
	i := slices.IndexFunc(groups, func(g replication.Group) bool { return g.Shard == shard })
	if i < 0 {
		return replication.Group{}, false
	}
	return groups[i], true
}

// look takes the next step.
func (o *operator) look(p *process) {
	g, ok := p.group(o.shard)
	if !ok || !g.Leadership.Ready {
		return
	}
	o.w.checks.members(g)
	step := placement.Next(view(p, g), ids(o.wanted), func(id uint64) bool {
		n := o.w.nodeOf[id]
		return n != nil &&
			n.proc != nil
	})
	if step.Kind != placement.None && step.Kind != placement.Wait {
		o.w.record.note("shard %d: node %d takes a step of kind %d", uint64(o.shard), uint64(p.index),
			uint64(step.Kind))
	}
	term := g.Leadership.Term
	switch step.Kind {
	case placement.Add:
		o.add(p, g, o.w.nodeOf[step.Nodes[0]])
	case placement.Change:
		o.w.Stats.Moves++
		o.change(p, term, replication.Change{Promote: step.Promote, Remove: step.Remove})
	case placement.Transfer:
		transfer := func() {
			_ = p.store.TransferLeadership(o.shard, term, step.To)
			p.poke()
		}
		if p.runtime.Leads(o.shard) && o.w.chance(0.5) {
			p.endShard(o.shard, transfer)
		} else {
			transfer()
		}
	}
	if o.w.chance(0.3) {
		o.sweep(p, g)
	}
}

func (o *operator) change(p *process, term uint64, c replication.Change) {
	_ = p.store.ChangeReplicas(o.shard, term, c) // it is tried again
	p.poke()
}

// view is how placement sees a group.
func view(p *process, g replication.Group) placement.Group {
	out := placement.Group{Self: p.id, Joint: g.Joint}
	for _, m := range g.Members {
		out.Replicas = append(out.Replicas, placement.Replica{
			ID: m.Replica, Node: m.Node, Voter: m.Voter, Outgoing: m.Outgoing, Learner: m.Learner,
			CaughtUp: m.Replica == g.Replica || m.Match+10 >= g.Commit, Recent: m.Recent,
		})
	}
	return out
}

func ids(nodes []*node) (ids []uint64) {
	for _, n := range nodes {
		ids = append(ids, n.id)
	}
	return ids
}

// add creates a replica on a node and makes it a learner.
func (o *operator) add(p *process, g replication.Group, to *node) {
	if o.w.chance(0.2) { // a call that was given up can still arrive, a good while later
		o.w.after(o.w.between(0, 3*time.Second), func() { to.arrive(func(q *process) { q.create(o.shard, g.Next) }) })
	}
	o.w.network.send(p.node, to, func(q *process) {
		if !q.create(o.shard, g.Next) {
			return
		}
		o.w.network.send(q.node, p.node, func(now *process) {
			if again, ok := now.group(o.shard); now == p && ok && again.Next == g.Next {
				o.change(p, g.Leadership.Term, replication.Change{Add: q.id})
			}
		})
	})
}

// create makes an empty replica; false where it is not there afterwards.
func (p *process) create(shard uint32, replica uint64) bool {
	had, has := p.group(shard)
	var err error
	p.guarded(func() { err = p.store.CreateReplica(shard, replica) })
	if !p.settle() || err != nil {
		return false
	}
	if !has || had.Replica != replica {
		p.w.checks.created(p, shard, replica)
	}
	p.poke()
	return true
}

// sweep has replicas destroyed that are none of the group's any more, or never became one. A leader
// knows all changes that were committed up to its term, and ids are never used again: a replica
// that is no member by its word, with an id that it has given, stays none.
func (o *operator) sweep(p *process, g replication.Group) {
	for _, to := range o.w.nodes {
		o.w.network.send(p.node, to, func(q *process) {
			has, ok := q.group(o.shard)
			if !ok || has.Replica >= g.Next || slices.ContainsFunc(g.Members, func(m replication.Member) bool {
				return m.Node == q.id && m.Replica == has.Replica
			}) {
				return
			}
			o.w.record.note("shard %d: node %d destroys replica %d", uint64(o.shard), uint64(q.index), has.Replica)
			q.guarded(func() { _ = q.store.DestroyReplica(o.shard, has.Replica) })
			q.settle()
		})
	}
}
