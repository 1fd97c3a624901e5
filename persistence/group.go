package persistence

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// group is the replica of one shard on this node: its raft state machine, its log, and the application of what is committed.
// Its lane alone uses it.
type group struct {
	shard   uint32
	node    *raft.RawNode
	log     *groupLog
	db      *pebble.DB
	metrics *metrics
	lead    Lead
	leading bool
	// pending are the proposals of this term, by the order in which they will come back as committed entries.
	pending []*proposal
	// answers are the outcomes of what a batch applies, until it is in the store.
	answers   []answer
	command   wactorv1.Command // the one being applied
	key       []byte           // the one being written; kept for its memory
	revisions revisionCache
	// queued: the group is among its lane's active ones.
	queued bool
	// untruncated counts the bytes of entries that were applied since the log was truncated; at maxUntruncated it is again.
	untruncated, maxUntruncated int
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
	g := &group{
		shard: shard, log: log, db: s.db, metrics: s.metrics,
		maxUntruncated: s.options.LogBytes / s.options.Shards,
		revisions:      newRevisionCache(max(minRevisions, maxRevisions/s.options.Shards)),
	}
	g.node, err = raft.NewRawNode(&raft.Config{
		ID: s.options.NodeID, ElectionTick: 10, HeartbeatTick: 1, Storage: log, Applied: log.applied.index,
		MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 256, MaxCommittedSizePerReady: 4 << 20, MaxUncommittedEntriesSize: 64 << 20,
		PreVote: true, CheckQuorum: true, DisableProposalForwarding: true, StepDownOnRemoval: true,
		Logger: raftLogger{s.options.Logger.With("shard", shard)},
	})
	if err != nil {
		return nil, fmt.Errorf("persistence: start shard %d: %w", shard, err)
	}
	return g, nil
}

// alone reports whether this node is the only voter: it elects itself, and needs no ticks.
func (g *group) alone(id uint64) bool {
	return len(g.log.conf.Voters) == 1 && g.log.conf.Voters[0] == id && len(g.log.conf.Learners) == 0
}

// propose hands a proposal to raft, if this replica leads in its term.
func (g *group) propose(p *proposal) {
	if !g.lead.Ready || g.lead.Term != p.term {
		g.answer(answer{proposal: p, err: ErrNotLeader})
		return
	}
	switch err := g.node.Propose(p.data); {
	case err == nil:
		g.pending = append(g.pending, p)
	case errors.Is(err, raft.ErrProposalDropped) && g.node.BasicStatus().RaftState == raft.StateLeader:
		g.answer(answer{proposal: p, err: ErrOverloaded})
	default:
		g.answer(answer{proposal: p, err: ErrNotLeader})
	}
}

// observe tells of a change of leadership.
func (g *group) observe(ready raft.Ready, tell func(uint32, Lead)) {
	if ready.SoftState != nil {
		g.leading = ready.SoftState.RaftState == raft.StateLeader
	}
	term := g.log.hard.GetTerm()
	now := Lead{Term: term, Ready: g.leading && g.log.applied.term == term}
	if now == g.lead {
		return
	}
	g.abandon(ErrUnknown) // where the term or the lead was lost; a lead that was just gained has nothing pending
	g.lead = now
	tell(g.shard, now)
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
