package persistence

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// read runs a read of a shard while the database is open. What was read is on the disk when it
// returns, also where fn ended it early with an error of its own; what fn is shown need not be yet.
func (s *Store) read(shard uint32, fn func() error) error {
	if err := s.gate.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	err := fn()
	if unknown := s.awaitDisk(shard); unknown != nil {
		return errors.Join(err, unknown)
	}
	return err
}

// Load reads head, state, inbox, outbox and timers of a conversation, each kind in the order of its
// suffixes, and returns its revision; 0 and no record where it does not exist, which costs one
// look-up. Suffix and value are valid during the call only.
func (s *Store) Load(
	shard uint32, conversation string, each func(kind wactorv1.RecordKind, suffix, value []byte) error,
) (revision uint64, err error) {
	err = s.read(shard, func() error {
		exists, err := s.exists(shard, conversation)
		if err != nil || !exists {
			return err
		}
		prefix := appendName(shardKey(shard, classConversation), conversation)
		return s.scan(prefix, append(prefix[:len(prefix):len(prefix)], firstUnloaded), func(rest, value []byte) error {
			if len(rest) == 0 || rest[0] == 0 {
				return fmt.Errorf("%w: record without a kind in shard %d", ErrCorrupt, shard)
			}
			kind := kinds[rest[0]]
			if kind == wactorv1.RecordKind_RECORD_KIND_HEAD {
				var at standing
				if at, value, err = splitHead(value); err != nil {
					return fmt.Errorf("%w in shard %d", err, shard)
				}
				revision = at.revision
			}
			return each(kind, rest[1:], value)
		})
	})
	return revision, err
}

func (s *Store) exists(shard uint32, conversation string) (bool, error) {
	head, _ := recordKey(shard, conversation, wactorv1.RecordKind_RECORD_KIND_HEAD, nil)
	return s.has(head)
}

func (s *Store) has(key []byte) (bool, error) {
	_, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, engineError(err)
	}
	return true, closer.Close()
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
	at := place(kind)
	if at == 0 {
		return fmt.Errorf("persistence: records of kind %v do not lie with their conversation", kind)
	}
	return s.read(shard, func() error {
		prefix := append(appendName(shardKey(shard, classConversation), conversation), at)
		return s.scanFrom(prefix, from, append(prefix[:len(prefix)-1:len(prefix)-1], at+1),
			func(suffix, value []byte) error {
				if kind == wactorv1.RecordKind_RECORD_KIND_HEAD {
					if _, value, err = splitHead(value); err != nil {
						return fmt.Errorf("%w in shard %d", err, shard)
					}
				}
				return each(suffix, value)
			})
	})
}

// Seen reports whether a message id was accepted in a generation.
func (s *Store) Seen(shard uint32, conversation string, generation uint32, id string) (seen bool, err error) {
	suffix := append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(id)), generation), id...)
	key, ok := recordKey(shard, conversation, wactorv1.RecordKind_RECORD_KIND_SEEN, suffix)
	if !ok {
		return false, nil
	}
	err = s.read(shard, func() error {
		seen, err = s.has(key)
		return err
	})
	return seen, err
}

// SeenIn tells the message ids that were accepted in a generation. They are valid during the call
// only.
func (s *Store) SeenIn(shard uint32, conversation string, generation uint32, each func(id []byte) error) error {
	prefix := appendName(binary.BigEndian.AppendUint32(shardKey(shard, classSeen), generation), conversation)
	end := bytes.Clone(prefix)
	end[len(end)-1]++ // the name ends with 1
	return s.read(shard, func() error {
		return s.scan(prefix, end, func(id, _ []byte) error { return each(id) })
	})
}

// Work names the conversations of a shard that have unfinished work. It holds a view of the moment
// in which it was called.
func (s *Store) Work(shard uint32, each func(conversation string) error) error {
	return s.read(shard, func() error {
		return s.scan(shardKey(shard, classWork), shardKey(shard, classWork+1), func(rest, _ []byte) error {
			name, _, ok := cutName(rest)
			if !ok {
				return fmt.Errorf("%w: key in the work index of shard %d", ErrCorrupt, shard)
			}
			return each(name)
		})
	})
}

// Conversations names the conversations of a shard in the order of their names, behind a name
// (empty: all), and tells whether each has dead letters. It costs two look-ups a conversation,
// however much lies in it.
func (s *Store) Conversations(shard uint32, behind string, each func(conversation string,
	deadLetters bool) error) error {
	prefix := shardKey(shard, classConversation)
	dead, past := place(wactorv1.RecordKind_RECORD_KIND_DEAD), []byte{0xFF} // past all kinds
	first := prefix
	if behind != "" {
		first = append(appendName(shardKey(shard, classConversation), behind), past...)
	}
	return s.read(shard, func() error {
		iter, err := s.db.NewIter(&pebble.IterOptions{LowerBound: first, UpperBound: shardKey(shard,
			classConversation+1)})
		if err != nil {
			return engineError(err)
		}
		for valid := iter.First(); valid; {
			name, _, ok := cutName(iter.Key()[len(prefix):])
			if !ok {
				return errors.Join(fmt.Errorf("%w: key of a conversation in shard %d", ErrCorrupt, shard), iter.Close())
			}
			records := appendName(shardKey(shard, classConversation), name)
			letters := append(records[:len(records):len(records)], dead)
			found := iter.SeekGE(letters) && bytes.HasPrefix(iter.Key(), letters)
			if err := iter.Error(); err != nil {
				return errors.Join(engineError(err), iter.Close())
			}
			if err := each(name, found); err != nil {
				return errors.Join(err, iter.Close())
			}
			valid = iter.SeekGE(append(records, past...))
		}
		return engineError(iter.Close())
	})
}

// Due names the timers of a shard that are due up to a time (Unix milliseconds), the earliest
// first.
func (s *Store) Due(shard uint32, untilMs int64, each func(dueMs int64, conversation, timer string) error) error {
	if untilMs < 0 {
		return nil
	}
	return s.read(shard, func() error {
		end := binary.BigEndian.AppendUint64(shardKey(shard, classDue), uint64(untilMs)+1)
		return s.scan(shardKey(shard, classDue), end, func(rest, _ []byte) error {
			dueMs, name, timer, ok := cutDue(rest)
			if !ok {
				return fmt.Errorf("%w: key in the timer index of shard %d", ErrCorrupt, shard)
			}
			return each(dueMs, name, timer)
		})
	})
}

// scan calls each with what follows the prefix in the keys from prefix up to end. The keys must all
// have the prefix.
func (s *Store) scan(prefix, end []byte, each func(rest, value []byte) error) error {
	return s.scanFrom(prefix, nil, end, each)
}

// scanFrom does so from the key of prefix and from on.
func (s *Store) scanFrom(prefix, from, end []byte, each func(rest, value []byte) error) error {
	first := append(prefix[:len(prefix):len(prefix)], from...)
	iter, err := s.db.NewIter(&pebble.IterOptions{LowerBound: first, UpperBound: end})
	if err != nil {
		return engineError(err)
	}
	for valid := iter.First(); valid; valid = iter.Next() {
		value, err := iter.ValueAndErr()
		if err != nil {
			err = engineError(err)
		} else {
			err = each(iter.Key()[len(prefix):], value)
		}
		if err != nil {
			return errors.Join(err, iter.Close())
		}
	}
	return engineError(iter.Close())
}
