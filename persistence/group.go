package persistence

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/wactor/wactor/internal/planted"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// group is the replica of one shard on this node: its raft state machine, its log, and the
// application of what is committed. Its lane alone uses it.
type group struct {
	shard      uint32
	replica    uint64 // this one's id in the group
	node       *raft.RawNode
	log        *groupLog
	db         *pebble.DB
	metrics    *metrics
	format     uint32 // of entries, the highest that it applies
	logger     raft.Logger
	now        func() time.Duration
	leadership Leadership
	leading    bool
	leader     uint64 // the replica that leads; 0 where that is not known
	// pending are the proposals of this term, by the order in which they will come back as
	// committed entries.
	pending []*proposal
	// answers are the outcomes of what a batch applies, until it is in the store.
	answers   []answer
	command   wactorv1.Command // the one being applied, where it is another node's or from before
	key       []byte           // the one being written; kept for its memory
	revisions revisionCache
	// queued: the group is among its lane's active ones. gone: its replica was destroyed.
	queued, gone bool
	// untruncated counts the bytes of entries that were applied since the log was truncated, or its
	// second half began (half, the entry before it); a half of maxUntruncated later it is again.
	untruncated, maxUntruncated int
	half                        position

	// keepsLog: it has a log also where it is alone.
	keepsLog bool

	// ticks since the consensus core was started, up to electionTicks.
	ticks int
	// nodes are those that messages came from, by replica: what a replica knows that has no members
	// yet.
	nodes map[uint64]uint64
	// stamps and heard are when the followers confirmed the leader, and when they were heard of, by
	// replica.
	stamps, heard map[uint64]time.Duration
	// given is when this leader last told another replica to take over; taken is the stamp by which
	// this one does so; promised is what it has confirmed to a leader.
	given, taken time.Duration
	promised     promise
	// refused is told of messages that are not taken.
	refused func(Message, error)
	// staged is the snapshot that is being received.
	staged *Staged
}

// answer ends a proposal once the batch that applies it is in the store.
type answer struct {
	proposal *proposal
	applied  Applied
	err      error
}

func openGroup(s *Store, shard uint32) (*group, error) {
	log, err := openLog(s.db, shard)
	if err != nil {
		return nil, err
	}
	log.outgoing = &s.outgoing
	g := &group{
		shard: shard, replica: log.replica, log: log, db: s.db, metrics: s.metrics, format: s.options.format,
		now:            s.options.Monotonic,
		maxUntruncated: s.options.LogBytes / s.options.Shards, keepsLog: s.options.keepLog, half: log.truncated,
		revisions: newRevisionCache(max(minRevisions, maxRevisions/s.options.Shards)),
		refused:   s.refuse, nodes: map[uint64]uint64{}, stamps: map[uint64]time.Duration{},
		heard: map[uint64]time.Duration{},
	}
	g.logger = raftLogger{s.options.Logger.With("shard", shard)}
	return g, g.start()
}

// start starts the consensus core from what is on the disk.
func (g *group) start() error {
	node, err := raft.NewRawNode(&raft.Config{
		ID: g.replica, ElectionTick: electionTicks, HeartbeatTick: 1, Storage: g.log, Applied: g.log.applied.index,
		MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 256, MaxInflightBytes: 16 << 20, MaxCommittedSizePerReady: 4 << 20,
		MaxUncommittedEntriesSize: 64 << 20,
		PreVote:                   true, CheckQuorum: true, DisableProposalForwarding: true, StepDownOnRemoval: true,
		Logger: g.logger,
	})
	if err != nil {
		return fmt.Errorf("persistence: start shard %d: %w", g.shard, err)
	}
	g.node, g.ticks, g.leading, g.leader = node, 0, false, 0
	return nil
}

// soleVoter reports whether this replica is the only one that votes: it elects itself.
func (g *group) soleVoter() bool {
	return len(g.log.conf.Voters) == 1 && g.log.conf.Voters[0] == g.replica && len(g.log.conf.VotersOutgoing) == 0
}

// alone reports whether this is the only replica.
func (g *group) alone() bool {
	return g.soleVoter() && len(g.log.conf.Learners) == 0 && len(g.log.conf.LearnersNext) == 0
}

// nodeOf is the node of a replica; 0 where it is not known.
func (g *group) nodeOf(replica uint64) uint64 {
	for _, r := range g.log.members.Replicas {
		if r.Id == replica {
			return r.Node
		}
	}
	return g.nodes[replica]
}

// replicaOn is the replica on a node; 0 where there is none.
func (g *group) replicaOn(node uint64) uint64 {
	var found *clusterv1.Replica
	for _, r := range g.log.members.Replicas {
		if r.Node == node && (found == nil || r.Id > found.Id) {
			found = r
		}
	}
	return found.GetId()
}

// tick lets time go on.
func (g *group) tick() {
	g.ticks = min(g.ticks+1, electionTicks)
	g.node.Tick()
}

// step hands a message of another replica to raft; false where it is none of this one's.
func (g *group) step(m Message) bool {
	if m.GetTo() != g.replica {
		return false
	}
	if err := g.check(m.Message); err != nil {
		g.refused(m, err)
		return false
	}
	switch m.GetType() {
	case raftpb.MsgHeartbeat:
		g.promises(m.Message)
	case raftpb.MsgVote, raftpb.MsgPreVote, raftpb.MsgTimeoutNow:
		// Before the restart this replica may have confirmed a leader's lease. (A vote that a
		// leader asks for for a leadership transfer waits as well: it is asked for again, or
		// another one is elected.)
		if g.ticks < electionTicks {
			return false
		}
		if m.GetType() == raftpb.MsgTimeoutNow && !g.mayTakeOver(m.Message) || !g.mayVote(m.Message) {
			return false
		}
	case raftpb.MsgVoteResp, raftpb.MsgPreVoteResp:
		g.learn(m.Message)
	case raftpb.MsgHeartbeatResp:
		g.confirm(m.Message)
	}
	g.heard[m.GetFrom()] = g.now()
	g.nodes[m.GetFrom()] = m.Node
	// What it refuses is of a replica that is no member any more.
	return g.node.Step(m.Message) == nil
}

// propose hands a proposal to raft, if this replica leads in its term.
func (g *group) propose(p *proposal) {
	if !g.leadership.Ready || g.leadership.Term != p.term {
		g.answer(answer{proposal: p, err: ErrNotLeader})
		return
	}
	switch err := g.node.Propose(p.data); {
	case err == nil:
		g.pending = append(g.pending, p)
	case errors.Is(err, raft.ErrProposalDropped) && g.leadsOn():
		g.answer(answer{proposal: p, err: ErrOverloaded})
	default:
		g.answer(answer{proposal: p, err: ErrNotLeader})
	}
}

// leadsOn reports whether this replica leads, and is not transferring its leadership.
func (g *group) leadsOn() bool {
	status := g.node.BasicStatus()
	return status.RaftState == raft.StateLeader && status.LeadTransferee == raft.None
}

func (g *group) leads() bool { return g.node.BasicStatus().RaftState == raft.StateLeader }

// observe tells of a change of leadership.
func (g *group) observe(ready raft.Ready, s *Store) {
	if ready.SoftState != nil {
		g.leading, g.leader = ready.SoftState.RaftState == raft.StateLeader, ready.SoftState.Lead
	}
	term := g.log.hard.GetTerm()
	now := Leadership{Term: term, Ready: g.leading && (g.log.applied.term == term || planted.Is(planted.ReadyTooEarly)),
		Node: g.nodeOf(g.leader)}
	if now != g.leadership {
		if now.Term != g.leadership.Term || !now.Ready {
			g.abandon(ErrUnknown) // leadership that was just gained has nothing pending
			clear(g.stamps)
		}
		g.leadership = now
		g.renew(&s.leases[g.shard])
		s.leadershipChanged(g.shard, now)
		return
	}
	g.renew(&s.leases[g.shard])
}

// deliver ends the proposals whose outcome is in the store now.
func (g *group) deliver() {
	for _, a := range g.answers {
		g.answer(a)
	}
	clear(g.answers)
	g.answers = g.answers[:0]
}

// abandon ends the proposals whose outcome will not be known here.
func (g *group) abandon(err error) {
	pending := g.pending
	g.pending = nil
	for _, p := range pending {
		g.answer(answer{proposal: p, err: err})
	}
}

func (g *group) answer(a answer) {
	g.metrics.proposal(a.proposal, a.err)
	a.proposal.done(a.applied, a.err)
}
