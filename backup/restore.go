package backup

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"filippo.io/age"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// RestoreOptions say how a backup is restored.
type RestoreOptions struct {
	Identities []age.Identity
	// Continue lets what was unfinished go on: the cluster of the backup stopped when it was made.
	// Otherwise it becomes dead letters, since that cluster may have done it after the backup.
	Continue bool
	// Now is the time. Default time.Now.
	Now func() time.Time
}

// Restored is what a restore wrote.
type Restored struct {
	Conversations uint64
	// Held are the conversations of which something became a dead letter.
	Held uint64
}

// Restore reads a backup and calls put with the records of a cluster that goes on from it. Those of
// one shard come in no order. Where it fails, what was put is of no use.
func Restore(ctx context.Context, target Target, m *Manifest, options RestoreOptions,
	put func(shard uint32, key, value []byte) error) (Restored, error) {
	now := time.Now
	if options.Now != nil {
		now = options.Now
	}
	event := conversation.Restored{Hold: !options.Continue, TakenMs: m.TakenAt.UnixMilli()}
	var all Restored
	for _, o := range m.Objects {
		r := &restorer{nowMs: now().UnixMilli(), event: event, gone: map[string]bool{}, restored: &all,
			put: func(key, value []byte) error { return put(o.Shard, key, value) }}
		err := readObject(ctx, target, m, o, options.Identities, func(key, value []byte) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return r.take(key, value)
		})
		if err == nil {
			err = r.flush()
		}
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// restorer steps each conversation of a shard by the event of a restore. It keeps what an
// activation loads of one conversation: the records behind that, and the indexes, come later in
// the order of the keys.
type restorer struct {
	put      func(key, value []byte) error
	event    conversation.Restored
	nowMs    int64
	restored *Restored
	name     string
	loaded   []stored
	// gone are the keys that were deleted and may still come.
	gone map[string]bool
}

type stored struct {
	kind               wactorv1.RecordKind
	key, suffix, value []byte
}

func (r *restorer) take(key, value []byte) error {
	name, kind, suffix, ok := cutConversation(key)
	if !ok && record.Class(key[0]) == record.ClassConversation {
		return fmt.Errorf("%w: the key of a conversation can't be read", ErrDamaged)
	}
	if name != r.name {
		if err := r.flush(); err != nil {
			return err
		}
		r.name = name
	}
	switch kind {
	case wactorv1.RecordKind_RECORD_KIND_HEAD, wactorv1.RecordKind_RECORD_KIND_STATE,
		wactorv1.RecordKind_RECORD_KIND_INBOX, wactorv1.RecordKind_RECORD_KIND_OUTBOX,
		wactorv1.RecordKind_RECORD_KIND_TIMER:
		key = append([]byte(nil), key...)
		suffix = key[len(key)-len(suffix):]
		r.loaded = append(r.loaded, stored{kind, key, suffix, append([]byte(nil), value...)})
		return nil
	}
	if err := r.flush(); err != nil {
		return err
	}
	if r.gone[string(key)] {
		delete(r.gone, string(key))
		return nil
	}
	return r.put(key, value)
}

// flush steps the conversation that was loaded, and puts what becomes of it.
func (r *restorer) flush() error {
	if len(r.loaded) == 0 {
		return nil
	}
	loaded := r.loaded
	r.loaded = nil
	id, err := conversation.ParseID(r.name)
	if err != nil {
		return fmt.Errorf("%w: the name of a conversation can't be read", ErrDamaged)
	}
	loader := conversation.NewLoader(id, auditConfig)
	var at record.Standing
	for i, one := range loaded {
		value := one.value
		if one.kind == wactorv1.RecordKind_RECORD_KIND_HEAD {
			if at, value, err = record.SplitHead(value); err != nil {
				return fmt.Errorf("%w: %w", ErrDamaged, err)
			}
		} else if i == 0 {
			return fmt.Errorf("%w: a conversation has no head", ErrDamaged)
		}
		if err := loader.Record(one.kind, one.suffix, value); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	r.restored.Conversations++
	records := make(map[string][]byte, len(loaded))
	for _, one := range loaded {
		records[string(one.key)] = one.value
	}
	for _, effect := range loader.Done(at.Revision).Step(r.nowMs, r.event) {
		if commit, ok := effect.(conversation.Commit); ok {
			r.apply(records, at, commit.Command)
			break // what follows begins to go on, which is for the activation to do
		}
	}
	for key, value := range records { //lint:order the store orders them
		if err := r.put([]byte(key), value); err != nil {
			return err
		}
	}
	return nil
}

// apply does what a commit does, as the state machine of the store.
func (r *restorer) apply(records map[string][]byte, at record.Standing, commit *wactorv1.Commit) {
	at = record.Standing{Revision: at.Revision + 1, Chain: binary.BigEndian.Uint64([]byte("restored"))}
	letters := false
	for _, put := range commit.Puts {
		value := put.Value
		switch put.Kind {
		case wactorv1.RecordKind_RECORD_KIND_HEAD:
			value = record.JoinHead(at, value)
		case wactorv1.RecordKind_RECORD_KIND_DEAD:
			letters = true
		}
		records[string(keyOf(commit.Conversation, put.Kind, put.Suffix))] = value
	}
	for _, gone := range commit.Deletes {
		key := string(keyOf(commit.Conversation, gone.Kind, gone.Suffix))
		if _, here := records[key]; here {
			delete(records, key)
			continue
		}
		r.gone[key] = true
	}
	if letters {
		r.restored.Held++
	}
}

// keyOf is the key of a record without the shard.
func keyOf(name string, kind wactorv1.RecordKind, suffix []byte) []byte {
	key, _ := record.Of(0, name, kind, suffix)
	return record.CutShard(key)
}
