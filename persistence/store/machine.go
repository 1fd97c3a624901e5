package store

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
	"github.com/wactor/wactor/persistence/replication"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// machine is the state machine of one shard: what its commands do to conversations.
type machine struct {
	shard     uint32
	db        *engine.Engine
	format    uint32           // of entries, the highest that it applies
	command   wactorv1.Command // the one being applied, where it is another node's or from before
	key       []byte           // the one being written; kept for its memory
	revisions revisionCache
	feed      *Feed
}

var _ replication.StateMachine = (*machine)(nil)

func (s *Store) newMachine(shard uint32) replication.StateMachine {
	shards := s.options.Replication.Shards
	return &machine{
		shard: shard, db: s.db, format: s.options.format, feed: s.feeds[shard],
		revisions: newRevisionCache(max(minRevisions, maxRevisions/shards)),
	}
}

// Apply implements replication.StateMachine.
func (m *machine) Apply(batch *pebble.Batch, _ uint64, command replication.Command) (uint64, error) {
	if known, ok := command.Value.(*wactorv1.Command); ok {
		return m.apply(batch, known)
	}
	if err := proto.Unmarshal(command.Data, &m.command); err != nil {
		return 0, fmt.Errorf("%w: command: %w", engine.ErrCorrupt, err)
	}
	return m.apply(batch, &m.command)
}

// Applied implements replication.StateMachine.
func (m *machine) Applied() {
	m.revisions.rotate()
	m.feed.publish()
}

// Snapshot implements replication.StateMachine.
func (m *machine) Snapshot() (*pebble.Iterator, error) {
	iter, err := m.db.NewIter(engine.Bounds(record.State(m.shard)))
	if err != nil {
		return nil, engine.Error(err)
	}
	return iter, nil
}

// Ingest implements replication.StateMachine.
func (m *machine) Ingest() {
	m.revisions = newRevisionCache(m.revisions.max)
	m.feed.skip()
}

func (m *machine) apply(batch *pebble.Batch, command *wactorv1.Command) (uint64, error) {
	if command.GetFormat() > m.format {
		return 0, m.tooNew(command)
	}
	switch c := command.Command.(type) {
	case *wactorv1.Command_Commit:
		return m.applyCommit(batch, c.Commit)
	case *wactorv1.Command_PutCluster:
		return m.putCluster(batch, c.PutCluster)
	case *wactorv1.Command_ExpireSeen:
		old := record.SeenBefore(m.shard, c.ExpireSeen.GetBefore())
		return 0, batch.DeleteRange(old.From, old.To, nil)
	}
	return 0, m.tooNew(command)
}

// applyCommit checks the revision and writes the records. It is deterministic: it reads nothing but
// the head's revision.
func (m *machine) applyCommit(batch *pebble.Batch, commit *wactorv1.Commit) (uint64, error) {
	if !wellFormed(commit) {
		return 0, replication.ErrMalformed
	}
	at, err := m.revision(commit.Conversation)
	if err != nil {
		return 0, err
	}
	if !takes(at, commit) {
		return at.Revision, ErrStale
	}
	at = record.Standing{Revision: at.Revision + 1, Chain: commit.Chain}
	for _, put := range commit.Puts {
		m.key = record.AppendOf(m.key[:0], m.shard, commit.Conversation, put.Kind, put.Suffix)
		value := put.Value
		if put.Kind == wactorv1.RecordKind_RECORD_KIND_HEAD {
			value = record.JoinHead(at, value)
		}
		if err := batch.Set(m.key, value, nil); err != nil {
			return 0, err
		}
	}
	for _, key := range commit.Deletes {
		m.key = record.AppendOf(m.key[:0], m.shard, commit.Conversation, key.Kind, key.Suffix)
		if err := batch.Delete(m.key, nil); err != nil {
			return 0, err
		}
	}
	m.revisions.set(commit.Conversation, at)
	m.feed.note(commit.Conversation)
	return at.Revision, nil
}

// check rejects a command that could not be applied, before it is in the log.
func check(command *wactorv1.Command) error {
	switch c := command.GetCommand().(type) {
	case *wactorv1.Command_Commit:
		if !wellFormed(c.Commit) {
			return replication.ErrMalformed
		}
		return nil
	case *wactorv1.Command_PutCluster, *wactorv1.Command_ExpireSeen:
		return nil
	}
	return replication.ErrMalformed
}

// wellFormed reports whether each record of a commit has a place, and the head is written: it
// carries the revision.
func wellFormed(commit *wactorv1.Commit) bool {
	if commit.GetConversation() == "" {
		return false
	}
	hasHead := false
	for _, put := range commit.Puts {
		if !record.HasPlace(put.GetKind(), put.GetSuffix()) {
			return false
		}
		hasHead = hasHead || put.Kind == wactorv1.RecordKind_RECORD_KIND_HEAD
	}
	for _, key := range commit.Deletes {
		if !record.HasPlace(key.GetKind(), key.GetSuffix()) || key.Kind == wactorv1.RecordKind_RECORD_KIND_HEAD {
			return false
		}
	}
	return hasHead
}

// revision is the conversation's, as of the entries applied so far, those in the open batch
// included.
func (m *machine) revision(conversation string) (record.Standing, error) {
	if at, ok := m.revisions.get(conversation); ok {
		return at, nil
	}
	value, closer, err := m.db.Get(record.Head(m.shard, conversation))
	if errors.Is(err, pebble.ErrNotFound) {
		return record.Standing{}, nil
	}
	if err != nil {
		return record.Standing{}, engine.Error(err)
	}
	defer closer.Close()
	at, _, err := record.SplitHead(value)
	if err != nil {
		return record.Standing{}, fmt.Errorf("%w: shard %d: %w", engine.ErrCorrupt, m.shard, err)
	}
	return at, nil
}
