package persistence

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/internal/planted"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// apply applies committed entries into a batch, with the applied index unless they are applied
// directly. The answers leave when the batch is in the store.
func (g *group) apply(batch *pebble.Batch, entries []*raftpb.Entry) error {
	for _, entry := range entries {
		g.log.applied = positionOf(entry)
		g.untruncated += weight(entry)
		if entry.GetType() != raftpb.EntryNormal {
			if err := g.applyChange(batch, entry); err != nil {
				return fmt.Errorf("persistence: apply entry %d of shard %d: %w", entry.GetIndex(), g.shard, err)
			}
			continue
		}
		if len(entry.Data) == 0 {
			continue // a new leader's first
		}
		// Only a leader has pending proposals, all of its own term, in the order of the log.
		own := len(g.pending) > 0 && entry.GetTerm() == g.pending[0].term
		var applied Applied
		var err error
		if own {
			applied, err = g.applyCommand(batch, g.pending[0].command) // which the entry's data was made of
		} else {
			applied, err = g.applyData(batch, entry.Data)
		}
		if err != nil && !isRefusal(err) {
			return fmt.Errorf("persistence: apply entry %d of shard %d: %w", entry.GetIndex(), g.shard, err)
		}
		if own {
			g.answers = append(g.answers, answer{g.pending[0], applied, err})
			g.pending[0] = nil
			g.pending = g.pending[1:]
		}
	}
	if g.log.direct {
		return nil
	}
	if planted.Is(planted.AppliedApart) {
		return g.db.Set(record.Key(g.shard, record.ClassApplied), g.log.applied.encode(), pebble.NoSync)
	}
	return batch.Set(record.Key(g.shard, record.ClassApplied), g.log.applied.encode(), nil)
}

// isRefusal reports whether an error is the outcome of a command, the same on every replica.
func isRefusal(err error) bool { return errors.Is(err, ErrStale) || errors.Is(err, ErrMalformed) }

func (g *group) applyData(batch *pebble.Batch, data []byte) (Applied, error) {
	if err := proto.Unmarshal(data, &g.command); err != nil {
		return Applied{}, fmt.Errorf("%w: command: %w", ErrCorrupt, err)
	}
	return g.applyCommand(batch, &g.command)
}

func (g *group) applyCommand(batch *pebble.Batch, command *wactorv1.Command) (Applied, error) {
	if command.GetFormat() > g.format {
		return Applied{}, g.tooNew(command)
	}
	switch c := command.Command.(type) {
	case *wactorv1.Command_Commit:
		return g.applyCommit(batch, c.Commit)
	case *wactorv1.Command_ExpireSeen:
		old := record.SeenBefore(g.shard, c.ExpireSeen.GetBefore())
		return Applied{}, batch.DeleteRange(old.From, old.To, nil)
	}
	return Applied{}, g.tooNew(command)
}

// applyCommit checks the revision and writes the records. It is deterministic: it reads nothing but
// the head's revision.
func (g *group) applyCommit(batch *pebble.Batch, commit *wactorv1.Commit) (Applied, error) {
	if !wellFormed(commit) {
		return Applied{}, ErrMalformed
	}
	at, err := g.revision(commit.Conversation)
	if err != nil {
		return Applied{}, err
	}
	if !takes(at, commit) {
		return Applied{Revision: at.Revision}, ErrStale
	}
	at = record.Standing{Revision: at.Revision + 1, Chain: commit.Chain}
	for _, put := range commit.Puts {
		g.key = record.AppendOf(g.key[:0], g.shard, commit.Conversation, put.Kind, put.Suffix)
		value := put.Value
		if put.Kind == wactorv1.RecordKind_RECORD_KIND_HEAD {
			value = record.JoinHead(at, value)
		}
		if err := batch.Set(g.key, value, nil); err != nil {
			return Applied{}, err
		}
	}
	for _, key := range commit.Deletes {
		g.key = record.AppendOf(g.key[:0], g.shard, commit.Conversation, key.Kind, key.Suffix)
		if err := batch.Delete(g.key, nil); err != nil {
			return Applied{}, err
		}
	}
	g.revisions.set(commit.Conversation, at)
	return Applied{Revision: at.Revision}, nil
}

// check refuses a command that could not be applied, before it is in the log.
func check(command *wactorv1.Command) error {
	switch c := command.GetCommand().(type) {
	case *wactorv1.Command_Commit:
		if !wellFormed(c.Commit) {
			return ErrMalformed
		}
		return nil
	case *wactorv1.Command_ExpireSeen:
		return nil
	}
	return ErrMalformed
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
func (g *group) revision(conversation string) (record.Standing, error) {
	if at, ok := g.revisions.get(conversation); ok {
		return at, nil
	}
	value, closer, err := g.db.Get(record.Head(g.shard, conversation))
	if errors.Is(err, pebble.ErrNotFound) {
		return record.Standing{}, nil
	}
	if err != nil {
		return record.Standing{}, engineError(err)
	}
	defer closer.Close()
	at, _, err := record.SplitHead(value)
	if err != nil {
		return record.Standing{}, fmt.Errorf("%w: shard %d: %w", ErrCorrupt, g.shard, err)
	}
	return at, nil
}
