package store

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Load reads head, state, inbox, outbox and timers of a conversation, each kind in the order of its
// suffixes, and returns its revision; 0 and no record where it does not exist, which costs one
// look-up. Suffix and value are valid during the call only.
func (s *Store) Load(
	shard uint32, conversation string, each func(kind wactorv1.RecordKind, suffix, value []byte) error,
) (revision uint64, err error) {
	err = s.Read(shard, func() error {
		exists, err := s.exists(shard, conversation)
		if err != nil || !exists {
			return err
		}
		return s.scan(record.Loads(shard, conversation), func(rest, value []byte) error {
			kind, suffix, ok := record.CutKind(rest)
			if !ok {
				return fmt.Errorf("%w: record without a kind in shard %d", engine.ErrCorrupt, shard)
			}
			if kind == wactorv1.RecordKind_RECORD_KIND_HEAD {
				if revision, value, err = splitHead(shard, value); err != nil {
					return err
				}
			}
			return each(kind, suffix, value)
		})
	})
	return revision, err
}

// splitHead takes the revision off a stored head.
func splitHead(shard uint32, value []byte) (revision uint64, head []byte, err error) {
	at, head, err := record.SplitHead(value)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: shard %d: %w", engine.ErrCorrupt, shard, err)
	}
	return at.Revision, head, nil
}

func (s *Store) exists(shard uint32, conversation string) (bool, error) {
	return s.db.Has(record.Head(shard, conversation))
}

// Scan reads the records of one kind of a conversation, in the order of their suffixes.
func (s *Store) Scan(
	shard uint32, conversation string, kind wactorv1.RecordKind, each func(suffix, value []byte) error,
) error {
	return s.ScanFrom(shard, conversation, kind, nil, each)
}

// ScanFrom does so from a suffix on, without a look at those before it.
func (s *Store) ScanFrom(
	shard uint32, conversation string, kind wactorv1.RecordKind, from []byte, each func(suffix, value []byte) error,
) (err error) {
	records, ok := record.Kind(shard, conversation, kind)
	if !ok {
		return fmt.Errorf("persistence: records of kind %v do not lie with their conversation", kind)
	}
	return s.Read(shard, func() error {
		return s.scanFrom(records, from, func(suffix, value []byte) error {
			if kind == wactorv1.RecordKind_RECORD_KIND_HEAD {
				if _, value, err = splitHead(shard, value); err != nil {
					return err
				}
			}
			return each(suffix, value)
		})
	})
}

// Seen reports whether a message id was accepted in a generation.
func (s *Store) Seen(shard uint32, conversation string, generation uint32, id string) (seen bool, err error) {
	key, ok := record.Of(shard, conversation, wactorv1.RecordKind_RECORD_KIND_SEEN, record.Seen(generation, id))
	if !ok {
		return false, nil
	}
	err = s.Read(shard, func() error {
		seen, err = s.db.Has(key)
		return err
	})
	return seen, err
}

// SeenValue returns what is remembered of an id that was accepted in a generation; empty where
// nothing is, or where it was not accepted.
func (s *Store) SeenValue(shard uint32, conversation string, generation uint32, id string) (value []byte, err error) {
	key, ok := record.Of(shard, conversation, wactorv1.RecordKind_RECORD_KIND_SEEN, record.Seen(generation, id))
	if !ok {
		return nil, nil
	}
	err = s.Read(shard, func() error {
		found, closer, err := s.db.Get(key)
		switch {
		case errors.Is(err, pebble.ErrNotFound):
			return nil
		case err != nil:
			return engine.Error(err)
		}
		value = bytes.Clone(found)
		return closer.Close()
	})
	return value, err
}

// SeenIn tells the message ids that were accepted in a generation. They are valid during the call
// only.
func (s *Store) SeenIn(shard uint32, conversation string, generation uint32, each func(id []byte) error) error {
	return s.Read(shard, func() error {
		return s.scan(record.SeenIn(shard, conversation, generation), func(id, _ []byte) error { return each(id) })
	})
}

// Work names the conversations of a shard that have unfinished work. It holds a view of the moment
// in which it was called.
func (s *Store) Work(shard uint32, each func(conversation string) error) error {
	return s.Read(shard, func() error {
		return s.scan(record.ClassWork.Range(shard), func(rest, _ []byte) error {
			name, _, ok := record.CutName(rest)
			if !ok {
				return fmt.Errorf("%w: key in the work index of shard %d", engine.ErrCorrupt, shard)
			}
			return each(name)
		})
	})
}

// Paused names the conversations of a shard that the bot does not own, in the order of their names,
// behind a name (empty: all), each with its stored wactor.v1.Ownership, which is valid during the
// call only.
func (s *Store) Paused(shard uint32, behind string, each func(conversation string, ownership []byte) error) error {
	all := record.ClassPaused.Range(shard)
	return s.Read(shard, func() error {
		return s.scan(all, func(rest, value []byte) error {
			name, _, ok := record.CutName(rest)
			if !ok {
				return fmt.Errorf("%w: key in the index of paused conversations of shard %d", engine.ErrCorrupt, shard)
			}
			if name <= behind {
				return nil
			}
			return each(name, value)
		})
	})
}

// Conversations names the conversations of a shard in the order of their names, behind a name
// (empty: all), and tells whether each has dead letters. It costs two look-ups a conversation,
// however much lies in it.
func (s *Store) Conversations(shard uint32, behind string, each func(conversation string,
	deadLetters bool) error) error {
	all := record.ClassConversation.Range(shard)
	prefix := len(all.From)
	if behind != "" {
		all.From = record.Conversation(shard, behind).To
	}
	return s.Read(shard, func() error {
		iter, err := s.db.NewIter(engine.Bounds(all))
		if err != nil {
			return engine.Error(err)
		}
		for valid := iter.First(); valid; {
			name, _, ok := record.CutName(iter.Key()[prefix:])
			if !ok {
				return errors.Join(fmt.Errorf("%w: key of a conversation in shard %d", engine.ErrCorrupt, shard),
					iter.Close())
			}
			letters, _ := record.Kind(shard, name, wactorv1.RecordKind_RECORD_KIND_DEAD)
			found := iter.SeekGE(letters.From) && bytes.HasPrefix(iter.Key(), letters.From)
			if err := iter.Error(); err != nil {
				return errors.Join(engine.Error(err), iter.Close())
			}
			if err := each(name, found); err != nil {
				return errors.Join(err, iter.Close())
			}
			valid = iter.SeekGE(record.Conversation(shard, name).To)
		}
		return engine.Error(iter.Close())
	})
}

// Due names the timers of a shard that are due up to a time (Unix milliseconds), the earliest
// first.
func (s *Store) Due(shard uint32, untilMs int64, each func(dueMs int64, conversation, timer string) error) error {
	if untilMs < 0 {
		return nil
	}
	return s.Read(shard, func() error {
		return s.scan(record.DueUntil(shard, untilMs), func(rest, _ []byte) error {
			dueMs, name, timer, ok := record.CutDue(rest)
			if !ok {
				return fmt.Errorf("%w: key in the timer index of shard %d", engine.ErrCorrupt, shard)
			}
			return each(dueMs, name, timer)
		})
	})
}

// scan calls each with the records of a range, and with what follows its From in their keys. The
// keys must all begin with it.
func (s *Store) scan(r record.Range, each func(rest, value []byte) error) error {
	return s.scanFrom(r, nil, each)
}

// scanFrom does so from the key of From and from on.
func (s *Store) scanFrom(r record.Range, from []byte, each func(rest, value []byte) error) error {
	prefix := len(r.From)
	r.From = append(r.From[:prefix:prefix], from...)
	iter, err := s.db.NewIter(engine.Bounds(r))
	if err != nil {
		return engine.Error(err)
	}
	for valid := iter.First(); valid; valid = iter.Next() {
		value, err := iter.ValueAndErr()
		if err != nil {
			err = engine.Error(err)
		} else {
			err = each(iter.Key()[prefix:], value)
		}
		if err != nil {
			return errors.Join(err, iter.Close())
		}
	}
	return engine.Error(iter.Close())
}
