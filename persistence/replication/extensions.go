package replication

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// Raft's messages have fields that the consensus core leaves empty in some types of message. What
// this host says in them stands in this file alone:
//
//	message                      field            meaning                                    since format
//	MsgHeartbeat                 Context          the leader's monotonic time of sending      0
//	MsgHeartbeatResp             Context          the same, confirmed (the core returns it)   0
//	MsgTimeoutNow                Context          the leader's monotonic time of sending      0
//	MsgVote after MsgTimeoutNow  Context          behind the core's "CampaignTransfer": the   0
//	                                              stamp of that MsgTimeoutNow
//	MsgVoteResp, MsgPreVoteResp  Commit, LogTerm  where it rejects: the sender's commit index 0
//	                                              and that entry's term
//
// A stamp is 8 bytes, big endian: nanoseconds of the leader's own clock. lease.go and transfer.go
// say what the stamps are for. Each is taken off, or ignored by the core, before the core steps the
// message. A new extension gets a format here, and nothing may depend on it while the cluster has a
// node that does not send it.

// campaignTransfer is how the consensus core marks votes that are asked for by a leader's word.
var campaignTransfer = []byte("CampaignTransfer")

// stamp puts the time of sending into heartbeats, and into what must not outrun them.
func (g *group) stamp(m *raftpb.Message) {
	switch m.GetType() {
	case raftpb.MsgHeartbeat:
		if len(m.Context) == 0 && g.node.BasicStatus().LeadTransferee == raft.None {
			m.Context = encodeStamp(nil, g.fencing.now())
		}
	case raftpb.MsgTimeoutNow:
		g.fencing.given = g.fencing.now()
		clear(g.fencing.stamps)
		m.Context = encodeStamp(nil, g.fencing.given)
	case raftpb.MsgVote:
		if bytes.Equal(m.Context, campaignTransfer) {
			m.Context = encodeStamp(slices.Clone(campaignTransfer), g.fencing.taken)
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

// A candidate goes by the configuration that it has applied. Where it does not know that a later
// one is committed, it may need a vote that it will never get: that of a replica that has become a
// learner, which does not stand itself, and has a longer log. So who refuses a vote tells how far
// it knows the log to be committed. The consensus core has no such word, and ignores it.

// teach puts the commit index, and its entry's term, into a refused vote.
func (g *group) teach(m *raftpb.Message) {
	vote := m.GetType() == raftpb.MsgVoteResp || m.GetType() == raftpb.MsgPreVoteResp
	if !vote || !m.GetReject() {
		return
	}
	commit := g.log.hard.GetCommit()
	if term, err := g.log.Term(commit); err == nil {
		m.Commit, m.LogTerm = new(commit), new(term)
	}
}

// learn takes what another replica knows to be committed: where this one's log has the very entry,
// it is committed here as well. The consensus core takes it as after a restart, with what it had
// not written yet forgotten, and its promises kept (see step).
func (g *group) learn(m *raftpb.Message) {
	commit := m.GetCommit()
	m.Commit = nil
	if !m.GetReject() || commit <= g.log.hard.GetCommit() || commit > g.log.last.index || g.leads() || g.staged != nil {
		return
	}
	if term, err := g.log.Term(commit); err != nil || term != m.GetLogTerm() {
		return
	}
	old := g.log.hard.Commit
	g.log.hard.Commit = new(commit)
	if err := g.start(); err != nil {
		g.log.hard.Commit = old
		return
	}
}
