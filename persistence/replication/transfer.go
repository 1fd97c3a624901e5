package replication

import (
	"bytes"
	"encoding/binary"
	"time"

	"go.etcd.io/raft/v3/raftpb"
)

// TransferLeadership asks a replica to become the leader. Proposals are refused meanwhile; it is
// over, one way or the other, within an election timeout.
func (h *Host) TransferLeadership(shard uint32, term, to uint64) error {
	l := h.lane(shard)
	return l.do(func() error {
		g := l.groups[shard]
		if g == nil || !g.leadership.Ready || g.leadership.Term != term {
			return ErrNotLeader
		}
		g.node.TransferLeader(to)
		g.renew(&h.leases[shard])
		l.activate(g)
		return nil
	})
}

// A leader that transfers its leadership tells one to stand for election at once, and the others
// vote for that one although there is a leader. That word may come late: when the leader has given
// up waiting, leads on, and has a lease again. So it carries a stamp, as heartbeats do, and so do
// the votes that are asked for by it. A replica that has answered a heartbeat of a later stamp
// follows neither: a lease and an election each have a majority, and one is in both. A leader that
// leads on has promised that to itself. During a transfer heartbeats have no stamps, and answers to
// those of before confirm nothing any more.

// fencing is what keeps leases and leadership transfers apart.
type fencing struct {
	now func() time.Duration
	// stamps are when the followers confirmed the leader, by replica.
	stamps map[uint64]time.Duration
	// given is when this leader last asked another replica to take over; taken is the stamp by
	// which this one does so; promised is what it has confirmed to a leader.
	given, taken time.Duration
	promised     promise
}

// promise is the newest stamp that was confirmed to the leader of a term.
type promise struct {
	term  uint64
	stamp time.Duration
}

// promises notes the stamp of a heartbeat, which will be confirmed.
func (f *fencing) promises(m *raftpb.Message) {
	if len(m.Context) != 8 || m.GetTerm() < f.promised.term {
		return
	}
	if m.GetTerm() > f.promised.term {
		f.promised = promise{term: m.GetTerm()}
	}
	f.promised.stamp = max(f.promised.stamp, time.Duration(binary.BigEndian.Uint64(m.Context)))
}

// mayTakeOver reports whether a leader's word to stand for election is not too late.
func (f *fencing) mayTakeOver(m *raftpb.Message) bool {
	stamp, ok := cutStamp(m, nil)
	f.taken = stamp
	return ok && !f.outran(m.GetTerm(), stamp)
}

// mayVote reports whether a vote that is asked for by a leader's word is not too late. The
// consensus core decides about all others.
func (g *group) mayVote(m *raftpb.Message) bool {
	if !bytes.HasPrefix(m.Context, campaignTransfer) {
		return true
	}
	if g.leadsOn() {
		return false // it has given up waiting
	}
	stamp, ok := cutStamp(m, campaignTransfer)
	return ok && !g.fencing.outran(m.GetTerm()-1, stamp)
}

// outran reports whether a later stamp of the leader of a term was confirmed.
func (f *fencing) outran(term uint64, stamp time.Duration) bool {
	return f.promised.term == term && stamp < f.promised.stamp
}
