package persistence

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// group is the replica of one shard on this node: its raft state machine, its log, and the application of what is committed.
// Its lane alone uses it.
type group struct {
	shard   uint32
	node    *raft.RawNode
	log     *groupLog
	db      *pebble.DB
	applied position
	lead    Lead
	leading bool
	// pending are the proposals of this term, by the order in which they will come back as committed entries.
	pending   []*proposal
	revisions revisionCache
	answers   []answer
	// queued: the group is among its lane's active ones.
	queued bool
	// untruncated counts the bytes of entries that were applied since the log was truncated.
	untruncated int
}

// answer ends a proposal once the batch that applies it is in the store.
type answer struct {
	proposal *proposal
	applied  Applied
	err      error
}

func openGroup(db *pebble.DB, shard uint32, options *Options) (*group, error) {
	log, err := openLog(db, shard)
	if err != nil {
		return nil, fmt.Errorf("persistence: open log of shard %d: %w", shard, err)
	}
	g := &group{shard: shard, log: log, db: db, revisions: newRevisionCache()}
	if err := log.load(classApplied, func(b []byte) (err error) { g.applied, err = decodePosition(b); return err }); err != nil {
		return nil, fmt.Errorf("persistence: applied index of shard %d: %w", shard, err)
	}
	g.node, err = raft.NewRawNode(&raft.Config{
		ID: options.NodeID, ElectionTick: 10, HeartbeatTick: 1, Storage: log, Applied: g.applied.index,
		MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 256, MaxCommittedSizePerReady: 4 << 20, MaxUncommittedEntriesSize: 64 << 20,
		PreVote: true, CheckQuorum: true, DisableProposalForwarding: true, StepDownOnRemoval: true,
		Logger: raftLogger{options.Logger.With("shard", shard)},
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
		p.done(Applied{}, ErrNotLeader)
		return
	}
	if err := g.node.Propose(p.data); err != nil {
		if errors.Is(err, raft.ErrProposalDropped) && g.node.BasicStatus().RaftState == raft.StateLeader {
			p.done(Applied{}, ErrOverloaded)
			return
		}
		p.done(Applied{}, ErrNotLeader)
		return
	}
	g.pending = append(g.pending, p)
}

// apply applies committed entries into a batch. The answers leave when the batch is in the store.
func (g *group) apply(batch *pebble.Batch, entries []*raftpb.Entry) error {
	for _, entry := range entries {
		g.applied = position{entry.GetIndex(), entry.GetTerm()}
		g.untruncated += len(entry.Data) + 64
		if entry.GetType() != raftpb.EntryNormal || len(entry.Data) == 0 {
			continue
		}
		applied, err := g.applyCommand(batch, entry.Data)
		if err != nil && !errors.Is(err, ErrStale) {
			return fmt.Errorf("persistence: apply entry %d of shard %d: %w", entry.GetIndex(), g.shard, err)
		}
		// Only a leader has pending proposals, all of its own term, in the order of the log.
		if len(g.pending) > 0 && entry.GetTerm() == g.pending[0].term {
			g.answers = append(g.answers, answer{g.pending[0], applied, err})
			g.pending = g.pending[1:]
		}
	}
	return batch.Set(shardKey(g.shard, classApplied), g.applied.encode(), nil)
}

func (g *group) applyCommand(batch *pebble.Batch, data []byte) (Applied, error) {
	var command wactorv1.Command
	if err := proto.Unmarshal(data, &command); err != nil {
		return Applied{}, fmt.Errorf("%w: command: %w", ErrCorrupt, err)
	}
	switch c := command.Command.(type) {
	case *wactorv1.Command_Commit:
		return g.applyCommit(batch, c.Commit)
	case *wactorv1.Command_ExpireSeen:
		end := binary.BigEndian.AppendUint32(shardKey(g.shard, classSeen), c.ExpireSeen.Before)
		return Applied{}, batch.DeleteRange(shardKey(g.shard, classSeen), end, nil)
	}
	return Applied{}, fmt.Errorf("%w: unknown command", ErrCorrupt)
}

// applyCommit checks the revision and writes the records. It is deterministic: it reads nothing but the head's revision.
func (g *group) applyCommit(batch *pebble.Batch, commit *wactorv1.Commit) (Applied, error) {
	revision, err := g.revision(commit.Conversation)
	if err != nil {
		return Applied{}, err
	}
	if revision != commit.BaseRevision || !wellFormed(commit) {
		return Applied{Revision: revision}, ErrStale
	}
	revision++
	for _, put := range commit.Puts {
		key, _ := recordKey(g.shard, commit.Conversation, put.Kind, put.Suffix)
		value := put.Value
		if put.Kind == wactorv1.RecordKind_RECORD_KIND_HEAD {
			value = append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(value)), revision), value...)
		}
		if err := batch.Set(key, value, nil); err != nil {
			return Applied{}, err
		}
	}
	for _, record := range commit.Deletes {
		key, _ := recordKey(g.shard, commit.Conversation, record.Kind, record.Suffix)
		if err := batch.Delete(key, nil); err != nil {
			return Applied{}, err
		}
	}
	g.revisions.set(commit.Conversation, revision)
	return Applied{Revision: revision}, nil
}

// wellFormed reports whether each record of a commit has a place, and the head is written.
func wellFormed(commit *wactorv1.Commit) bool {
	head := false
	for _, put := range commit.Puts {
		if _, ok := recordKey(0, "", put.Kind, put.Suffix); !ok {
			return false
		}
		head = head || put.Kind == wactorv1.RecordKind_RECORD_KIND_HEAD
	}
	for _, key := range commit.Deletes {
		if _, ok := recordKey(0, "", key.Kind, key.Suffix); !ok {
			return false
		}
	}
	return head
}

func (g *group) revision(conversation string) (uint64, error) {
	if revision, ok := g.revisions.get(conversation); ok {
		return revision, nil
	}
	key, _ := recordKey(g.shard, conversation, wactorv1.RecordKind_RECORD_KIND_HEAD, nil)
	value, closer, err := g.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer closer.Close()
	revision, _, err := splitHead(value)
	return revision, err
}

func splitHead(value []byte) (revision uint64, head []byte, err error) {
	if len(value) < 8 {
		return 0, nil, fmt.Errorf("%w: head of %d bytes", ErrCorrupt, len(value))
	}
	return binary.BigEndian.Uint64(value), value[8:], nil
}

// revisionCache remembers revisions of conversations that were committed lately, in two generations. It is never wrong, since
// apply alone changes revisions and goes through it; it must not rotate while a batch is being filled, whose changes the store
// does not show yet.
type revisionCache struct{ young, old map[string]uint64 }

const maxRevisions = 8192

func newRevisionCache() revisionCache { return revisionCache{young: map[string]uint64{}} }

func (c *revisionCache) get(name string) (uint64, bool) {
	if revision, ok := c.young[name]; ok {
		return revision, true
	}
	revision, ok := c.old[name]
	return revision, ok
}

func (c *revisionCache) set(name string, revision uint64) { c.young[name] = revision }

// rotate makes room, between batches.
func (c *revisionCache) rotate() {
	if len(c.young) >= maxRevisions {
		c.young, c.old = make(map[string]uint64, maxRevisions), c.young
	}
}
