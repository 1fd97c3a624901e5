package persistence

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/internal/planted"
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
		return g.db.Set(shardKey(g.shard, classApplied), g.log.applied.encode(), pebble.NoSync)
	}
	return batch.Set(shardKey(g.shard, classApplied), g.log.applied.encode(), nil)
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
		return Applied{}, batch.DeleteRange(shardKey(g.shard, classSeen), seenEnd(g.shard, c.ExpireSeen.GetBefore()),
			nil)
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
	if !at.takes(commit) {
		return Applied{Revision: at.revision}, ErrStale
	}
	at = standing{at.revision + 1, commit.Chain}
	for _, put := range commit.Puts {
		g.key = appendRecordKey(g.key[:0], g.shard, commit.Conversation, put.Kind, put.Suffix)
		value := put.Value
		if put.Kind == wactorv1.RecordKind_RECORD_KIND_HEAD {
			value = joinHead(at, value)
		}
		if err := batch.Set(g.key, value, nil); err != nil {
			return Applied{}, err
		}
	}
	for _, record := range commit.Deletes {
		g.key = appendRecordKey(g.key[:0], g.shard, commit.Conversation, record.Kind, record.Suffix)
		if err := batch.Delete(g.key, nil); err != nil {
			return Applied{}, err
		}
	}
	g.revisions.set(commit.Conversation, at)
	return Applied{Revision: at.revision}, nil
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
		if !hasPlace(put.GetKind(), put.GetSuffix()) {
			return false
		}
		hasHead = hasHead || put.Kind == wactorv1.RecordKind_RECORD_KIND_HEAD
	}
	for _, key := range commit.Deletes {
		if !hasPlace(key.GetKind(), key.GetSuffix()) || key.Kind == wactorv1.RecordKind_RECORD_KIND_HEAD {
			return false
		}
	}
	return hasHead
}

// revision is the conversation's, as of the entries applied so far, those in the open batch
// included.
func (g *group) revision(conversation string) (standing, error) {
	if at, ok := g.revisions.get(conversation); ok {
		return at, nil
	}
	key, _ := recordKey(g.shard, conversation, wactorv1.RecordKind_RECORD_KIND_HEAD, nil)
	value, closer, err := g.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return standing{}, nil
	}
	if err != nil {
		return standing{}, engineError(err)
	}
	defer closer.Close()
	at, _, err := splitHead(value)
	if err != nil {
		return standing{}, fmt.Errorf("%w in shard %d", err, g.shard)
	}
	return at, nil
}

// chained in the stored number of a revision says that the chain follows. A head of before there
// were chains has none.
const chained = 1 << 63

// joinHead is the stored form of a head: the revision's number (8 bytes) and chain (8), then the
// head.
func joinHead(at standing, head []byte) []byte {
	out := binary.BigEndian.AppendUint64(make([]byte, 0, 16+len(head)), at.revision|chained)
	return append(binary.BigEndian.AppendUint64(out, at.chain), head...)
}

func splitHead(value []byte) (at standing, head []byte, err error) {
	if len(value) < 8 {
		return standing{}, nil, fmt.Errorf("%w: head of %d bytes", ErrCorrupt, len(value))
	}
	at.revision, head = binary.BigEndian.Uint64(value), value[8:]
	if at.revision&chained != 0 {
		if len(head) < 8 {
			return standing{}, nil, fmt.Errorf("%w: head of %d bytes", ErrCorrupt, len(value))
		}
		at.revision, at.chain, head = at.revision&^chained, binary.BigEndian.Uint64(head), head[8:]
	}
	if at.revision == 0 {
		return standing{}, nil, fmt.Errorf("%w: head without a revision", ErrCorrupt)
	}
	return at, head, nil
}
