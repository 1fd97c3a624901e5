package replication

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/wactor/wactor/internal/planted"
)

// group is the replica of one shard on this node: its raft state machine, its log, and what is
// applied to the shard's state machine. Its lane alone uses it.
type group struct {
	host    *Host
	shard   uint32
	replica uint64 // this one's id in the group
	node    *raft.RawNode
	log     *groupLog
	machine StateMachine
	logger  raft.Logger
	role
	proposals proposals
	peers     peers
	fencing   fencing
	cut       truncation
	// queued: the group is among its lane's active ones. gone: its replica was destroyed.
	queued, gone bool
	// ticks since the consensus core was started, up to electionTicks.
	ticks int
	// staged is the snapshot that is being received.
	staged *Staged
}

// role is what is known of the leadership of a group.
type role struct {
	leadership Leadership // as reported
	leading    bool
	leader     uint64 // the replica that leads; 0 where that is not known
}

// proposals are those of one group, of this term.
type proposals struct {
	metrics *metrics
	// pending are in the order in which they will come back as committed entries.
	pending []*proposal
	// answers are the outcomes of what a batch applies, until it is in the store.
	answers []answer
}

// answer ends a proposal once the batch that applies it is in the store.
type answer struct {
	proposal *proposal
	result   uint64
	err      error
}

// peers are the other replicas as their messages showed them.
type peers struct {
	// nodes are those that messages came from, by replica: what a replica knows that has no members
	// yet.
	nodes map[uint64]uint64
	// received is when the last message of a replica came.
	received map[uint64]time.Duration
}

func openGroup(h *Host, shard uint32) (*group, error) {
	machine := h.options.Machine(shard)
	log, err := openLog(h.db, shard, machine)
	if err != nil {
		return nil, err
	}
	log.outgoing = &h.outgoing
	g := &group{
		host: h, shard: shard, replica: log.replica, log: log, machine: machine,
		proposals: proposals{metrics: h.metrics},
		peers:     peers{nodes: map[uint64]uint64{}, received: map[uint64]time.Duration{}},
		fencing:   fencing{stamps: map[uint64]time.Duration{}, now: h.options.Monotonic},
		cut:       truncation{most: h.options.Limits.LogBytes / h.options.Shards, half: log.truncated},
	}
	g.logger = raftLogger{h.options.Logger.With("shard", shard)}
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
	if err := g.log.check(m.Message, g.leading); err != nil {
		g.host.rejections.note(m, err)
		return false
	}
	switch m.GetType() {
	case raftpb.MsgHeartbeat:
		g.fencing.promises(m.Message)
	case raftpb.MsgVote, raftpb.MsgPreVote, raftpb.MsgTimeoutNow:
		// Before the restart this replica may have confirmed a leader's lease. (A vote that a
		// leader asks for for a leadership transfer waits as well: it is asked for again, or
		// another one is elected.)
		if g.ticks < electionTicks {
			return false
		}
		if m.GetType() == raftpb.MsgTimeoutNow && !g.fencing.mayTakeOver(m.Message) || !g.mayVote(m.Message) {
			return false
		}
	case raftpb.MsgVoteResp, raftpb.MsgPreVoteResp:
		g.learn(m.Message)
	case raftpb.MsgHeartbeatResp:
		g.confirm(m.Message)
	}
	g.peers.received[m.GetFrom()] = g.fencing.now()
	g.peers.nodes[m.GetFrom()] = m.Node
	// What it refuses is of a replica that is no member any more.
	return g.node.Step(m.Message) == nil
}

// propose hands a proposal to raft, if this replica leads in its term.
func (g *group) propose(p *proposal) {
	if !g.leadership.Ready || g.leadership.Term != p.term {
		g.proposals.answer(answer{proposal: p, err: ErrNotLeader})
		return
	}
	switch err := g.node.Propose(p.command.Data); {
	case err == nil:
		g.proposals.pending = append(g.proposals.pending, p)
	case errors.Is(err, raft.ErrProposalDropped) && g.leadsOn():
		g.proposals.answer(answer{proposal: p, err: ErrOverloaded})
	default:
		g.proposals.answer(answer{proposal: p, err: ErrNotLeader})
	}
}

// leadsOn reports whether this replica leads, and is not transferring its leadership.
func (g *group) leadsOn() bool {
	status := g.node.BasicStatus()
	return status.RaftState == raft.StateLeader && status.LeadTransferee == raft.None
}

func (g *group) leads() bool { return g.node.BasicStatus().RaftState == raft.StateLeader }

// nodeOf is the node of a replica; 0 where it is not known.
func (g *group) nodeOf(replica uint64) uint64 {
	return cmp.Or(g.log.nodeOf(replica), g.peers.nodes[replica])
}

// observe reports a change of leadership.
func (g *group) observe(ready raft.Ready) {
	if ready.SoftState != nil {
		g.leading, g.leader = ready.SoftState.RaftState == raft.StateLeader, ready.SoftState.Lead
	}
	term := g.log.hard.GetTerm()
	now := Leadership{
		Term: term, Ready: g.leading && (g.log.applied.term == term || planted.Is(planted.ReadyTooEarly)),
		Node: g.nodeOf(g.leader),
	}
	changed := now != g.leadership
	if changed {
		if now.Term != g.leadership.Term || !now.Ready {
			g.proposals.abandon(ErrUnknown) // leadership that was just gained has nothing pending
			clear(g.fencing.stamps)
		}
		g.leadership = now
	}
	g.renew(&g.host.leases[g.shard])
	if changed {
		g.host.options.LeadershipChanged(g.shard, now)
	}
}

// deliver ends the proposals whose outcome is in the store now.
func (p *proposals) deliver() {
	for _, a := range p.answers {
		p.answer(a)
	}
	clear(p.answers)
	p.answers = p.answers[:0]
}

// abandon ends the proposals whose outcome will not be known here.
func (p *proposals) abandon(err error) {
	pending := p.pending
	p.pending = nil
	for _, one := range pending {
		p.answer(answer{proposal: one, err: err})
	}
}

func (p *proposals) answer(a answer) {
	p.metrics.proposal(a.proposal, a.err)
	a.proposal.done(a.result, a.err)
}

// next is the proposal that an entry of a term was made of, taken off the pending ones; nil where
// it is none of this node's. Only a leader has pending proposals, all of its own term, in the order
// of the log.
func (p *proposals) next(term uint64) *proposal {
	if len(p.pending) == 0 || p.pending[0].term != term {
		return nil
	}
	first := p.pending[0]
	p.pending[0] = nil
	p.pending = p.pending[1:]
	return first
}

// raftLogger passes warnings and errors of the consensus core on.
type raftLogger struct{ logger *slog.Logger }

var _ raft.Logger = raftLogger{}

func (l raftLogger) Debug(...any)                {}
func (l raftLogger) Debugf(string, ...any)       {}
func (l raftLogger) Info(...any)                 {}
func (l raftLogger) Infof(string, ...any)        {}
func (l raftLogger) Warning(v ...any)            { l.logger.Warn("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Warningf(f string, v ...any) { l.logger.Warn("raft: " + fmt.Sprintf(f, v...)) }
func (l raftLogger) Error(v ...any)              { l.logger.Error("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Errorf(f string, v ...any)   { l.logger.Error("raft: " + fmt.Sprintf(f, v...)) }
func (l raftLogger) Fatal(v ...any)              { panic("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Fatalf(f string, v ...any)   { panic("raft: " + fmt.Sprintf(f, v...)) }
func (l raftLogger) Panic(v ...any)              { panic("raft: " + fmt.Sprint(v...)) }
func (l raftLogger) Panicf(f string, v ...any)   { panic("raft: " + fmt.Sprintf(f, v...)) }
