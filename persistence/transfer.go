package persistence

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// TransferLeadership asks a replica to become the leader. Proposals are refused meanwhile; it is
// over, one way or the other, within an election timeout.
func (s *Store) TransferLeadership(shard uint32, term, to uint64) error {
	l := s.lane(shard)
	return s.onLane(l, func() error {
		g := l.groups[shard]
		if g == nil || !g.leadership.Ready || g.leadership.Term != term {
			return ErrNotLeader
		}
		g.node.TransferLeader(to)
		g.renew(&s.leases[shard])
		l.activate(g)
		return nil
	})
}

// A leader that transfers its leadership tells one to stand for election at once, and the others
// vote for that one although they hear of a leader. That word may come late: when the leader has
// given up waiting, leads on, and has a lease again. So it carries a stamp, as heartbeats do, and
// so do the votes that are asked for by it. Whoever has answered a heartbeat of a later stamp
// follows neither: a lease and an election each have a majority, and one is in both. A leader that
// leads on has promised that to itself. During a transfer heartbeats have no stamps, and answers to
// those of before confirm nothing any more.

// campaignTransfer is how the consensus core marks votes that are asked for by a leader's word.
var campaignTransfer = []byte("CampaignTransfer")

// promise is the newest stamp that was confirmed to the leader of a term.
type promise struct {
	term  uint64
	stamp time.Duration
}

// stamp puts the time of sending into heartbeats, and into what must not outrun them.
func (g *group) stamp(m *raftpb.Message) {
	switch m.GetType() {
	case raftpb.MsgHeartbeat:
		if len(m.Context) == 0 && g.node.BasicStatus().LeadTransferee == raft.None {
			m.Context = encodeStamp(nil, g.now())
		}
	case raftpb.MsgTimeoutNow:
		g.given = g.now()
		clear(g.stamps)
		m.Context = encodeStamp(nil, g.given)
	case raftpb.MsgVote:
		if bytes.Equal(m.Context, campaignTransfer) {
			m.Context = encodeStamp(slices.Clone(campaignTransfer), g.taken)
		}
	}
}

func encodeStamp(to []byte, stamp time.Duration) []byte {
	return binary.BigEndian.AppendUint64(to, uint64(stamp))
}

// cutStamp takes the stamp off what the consensus core is to see; false where there is none.
func cutStamp(m *raftpb.Message, behind []byte) (time.Duration, bool) {
	rest, ok := bytes.CutPrefix(m.Context, behind)
	if !ok || len(rest) != 8 {
		return 0, false
	}
	m.Context = behind
	return time.Duration(binary.BigEndian.Uint64(rest)), true
}

// promises notes the stamp of a heartbeat, which will be confirmed.
func (g *group) promises(m *raftpb.Message) {
	if len(m.Context) != 8 || m.GetTerm() < g.promised.term {
		return
	}
	if m.GetTerm() > g.promised.term {
		g.promised = promise{term: m.GetTerm()}
	}
	g.promised.stamp = max(g.promised.stamp, time.Duration(binary.BigEndian.Uint64(m.Context)))
}

// mayTakeOver reports whether a leader's word to stand for election is not too late.
func (g *group) mayTakeOver(m *raftpb.Message) bool {
	stamp, ok := cutStamp(m, nil)
	g.taken = stamp
	return ok && !g.outran(m.GetTerm(), stamp)
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
	return ok && !g.outran(m.GetTerm()-1, stamp)
}

// outran reports whether a later stamp of the leader of a term was confirmed.
func (g *group) outran(term uint64, stamp time.Duration) bool {
	return g.promised.term == term && stamp < g.promised.stamp
}
