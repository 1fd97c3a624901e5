package sim

import (
	"fmt"
	"slices"

	"github.com/wactor/wactor/conversation/audit"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// unwell says what is not as it has to be once all is healed; empty where all is well.
func (w *World) unwell() string {
	for _, n := range w.nodes {
		if !n.up() {
			return fmt.Sprintf("node %d is down", n.index)
		}
	}
	for _, u := range w.users {
		for _, m := range u.messages {
			if !m.acknowledged {
				return fmt.Sprintf("message %s is not accepted", m.id)
			}
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
	if g.Joint || len(g.Members) != len(o.wanted) || p.node != o.wanted[0] {
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
	working := 0
	_ = p.store.Work(o.shard, func(string) error { working++; return nil })
	if working > 0 {
		return fmt.Sprintf("%d conversations have unfinished work", working)
	}
	return ""
}

// checkEnd holds what is left at the end against what was promised.
func (w *World) checkEnd() {
	for _, o := range w.operators {
		w.checkEqual(o)
	}
	for _, u := range w.users {
		w.checkConversation(w.leader(u.shard), u)
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

func (w *World) checkConversation(p *process, u *user) {
	head, revision := w.head(p, u)
	j := w.journal(p, u)
	for _, violation := range audit.Journal(j.entries, false) {
		w.fail("conversation %d: %s", u.index, violation)
	}
	for r, commit := range w.checks.commits[u.index] {
		if put := journalled(commit); r > revision || put != nil && !j.holds(put) {
			w.fail("conversation %d, which is at revision %d, has lost what was committed as revision %d", u.index,
				revision, r)
		}
	}
	for _, e := range j.entries {
		w.record.comment("journal of conversation %d: %v", u.index, e)
	}
	accepted := map[string]uint64{}
	turns := map[uint64][]uint64{} // version: messages
	turnOf := map[uint64]uint64{}
	doubted := map[uint64]bool{}
	for _, e := range j.entries {
		switch e.Kind {
		case wactorv1.JournalKind_JOURNAL_KIND_ACCEPTED:
			if accepted[e.MessageId] != 0 {
				w.fail("conversation %d: a message was accepted twice", u.index)
			}
			accepted[e.MessageId] = e.MessageSeq
		case wactorv1.JournalKind_JOURNAL_KIND_TURN:
			turns[e.VersionAfter] = e.MessageSeqs
			for _, seq := range e.MessageSeqs {
				turnOf[seq] = e.VersionAfter
			}
		case wactorv1.JournalKind_JOURNAL_KIND_IN_DOUBT:
			doubted[e.ReplySeq] = true
		}
	}
	idOf := map[uint64]string{}
	for _, m := range u.messages {
		if turnOf[accepted[m.id]] == 0 {
			w.fail("conversation %d: message %s, which was acknowledged, is in no turn", u.index, m.id)
		}
		idOf[accepted[m.id]] = m.id
	}
	if head.Version != uint64(len(turns)) || len(accepted) != len(u.messages) {
		w.fail("conversation %d: version %d, %d turns, %d messages of %d", u.index, head.Version, len(turns),
			len(accepted), len(u.messages))
	}
	w.checkOrder(u, accepted)
	w.checkReplies(u, turns, idOf, doubted)
}

// checkReplies holds what the provider took against the turns: each has one reply, in order,
// doubled only where that was doubted.
func (w *World) checkReplies(u *user, turns map[uint64][]uint64, idOf map[uint64]string, doubted map[uint64]bool) {
	taken := w.provider.taken[u.index]
	if len(taken) != len(turns) {
		w.fail("conversation %d: %d replies to %d turns", u.index, len(taken), len(turns))
		return
	}
	for i, r := range taken {
		version := uint64(i + 1)
		var ids []string
		for _, seq := range turns[version] {
			ids = append(ids, idOf[seq])
		}
		if want := replyText(version, ids); r.text != want {
			w.fail("conversation %d: reply %d is %q, want %q", u.index, version, r.text, want)
		}
		if r.times > 1 && !doubted[version] {
			w.fail("conversation %d: reply %d was taken %d times and never in doubt", u.index, version, r.times)
		}
	}
}
