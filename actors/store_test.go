package actors

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/cluster/placement"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// memoryStore is a log and its applied state in memory. Commits are applied by a goroutine of its
// own, in order; hold keeps them waiting, fail makes the next ones fail.
type memoryStore struct {
	mu            sync.Mutex
	cond          *sync.Cond
	records       map[string][]byte // "<conversation>\x00<kind><suffix>"
	revisions     map[string]uint64
	queue         []func()
	held, closed  bool
	failing       error
	failedCommits int
	// lookups and scans count the calls of Seen and SeenIn.
	lookups, scans int
	done           sync.WaitGroup
	// unconfirmed: there is no lease.
	unconfirmed atomic.Bool
}

var errStale = errors.New("stale revision")

func newMemoryStore() *memoryStore {
	s := &memoryStore{records: map[string][]byte{}, revisions: map[string]uint64{}}
	s.cond = sync.NewCond(&s.mu)
	s.done.Go(s.run)
	return s
}

func (s *memoryStore) Leased(uint32, uint64) bool { return !s.unconfirmed.Load() }

func (s *memoryStore) run() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for len(s.queue) == 0 || s.held {
			if s.closed {
				return
			}
			s.cond.Wait()
		}
		next := s.queue[0]
		s.queue = s.queue[1:]
		s.mu.Unlock()
		next()
		s.mu.Lock()
	}
}

func (s *memoryStore) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	s.cond.Broadcast()
}

func (s *memoryStore) close() {
	s.set(func() { s.closed, s.held = true, false })
	s.done.Wait()
}

func (s *memoryStore) Propose(_ uint32, _ uint64, command *wactorv1.Command, _ bool, done func(error)) {
	commit := proto.CloneOf(command.GetCommit())
	s.set(func() { s.queue = append(s.queue, func() { done(s.apply(commit)) }) })
}

func (s *memoryStore) apply(commit *wactorv1.Commit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing != nil {
		s.failedCommits++
		return s.failing
	}
	if s.revisions[commit.Conversation] != commit.BaseRevision {
		return errStale
	}
	s.revisions[commit.Conversation]++
	for _, put := range commit.Puts {
		s.records[memoryKey(commit.Conversation, put.Kind, put.Suffix)] = put.Value
	}
	for _, key := range commit.Deletes {
		delete(s.records, memoryKey(commit.Conversation, key.Kind, key.Suffix))
	}
	return nil
}

func memoryKey(conversation string, kind wactorv1.RecordKind, suffix []byte) string {
	return fmt.Sprintf("%s\x00%c%s", conversation, rune(kind), suffix)
}

func (s *memoryStore) Load(_ uint32, conversation string, each func(wactorv1.RecordKind, []byte, []byte) error) (uint64,
	error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for key := range s.records {
		if strings.HasPrefix(key, conversation+"\x00") {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	for _, key := range keys {
		rest := key[len(conversation)+1:]
		if err := each(wactorv1.RecordKind(rest[0]), []byte(rest[1:]), s.records[key]); err != nil {
			return 0, err
		}
	}
	return s.revisions[conversation], nil
}

func (s *memoryStore) SeenValue(_ uint32, conversation string, generation uint32, id string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	suffix := append(binary.BigEndian.AppendUint32(nil,
		generation), id...)
	return s.records[memoryKey(conversation, wactorv1.RecordKind_RECORD_KIND_SEEN, suffix)], nil
}

func (s *memoryStore) Seen(_ uint32, conversation string, generation uint32, id string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	suffix := append(binary.BigEndian.AppendUint32(nil, generation), id...)
	s.lookups++
	_, ok := s.records[memoryKey(conversation, wactorv1.RecordKind_RECORD_KIND_SEEN, suffix)]
	return ok, nil
}

func (s *memoryStore) SeenIn(_ uint32, conversation string, generation uint32, each func([]byte) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scans++
	prefix := memoryKey(conversation, wactorv1.RecordKind_RECORD_KIND_SEEN, binary.BigEndian.AppendUint32(nil,
		generation))
	for key := range s.records {
		if id, ok := strings.CutPrefix(key, prefix); ok {
			if err := each([]byte(id)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *memoryStore) Work(shard uint32, each func(string) error) error {
	s.mu.Lock()
	var names []string
	for key := range s.records {
		name, rest, _ := strings.Cut(key, "\x00")
		if rest[0] == byte(wactorv1.RecordKind_RECORD_KIND_WORK) && placement.ShardOf(name, 4) == shard {
			names = append(names, name)
		}
	}
	s.mu.Unlock()
	for _, name := range names {
		if err := each(name); err != nil {
			return err
		}
	}
	return nil
}

func (s *memoryStore) Due(shard uint32, untilMs int64, each func(int64, string, string) error) error {
	type due struct {
		ms          int64
		name, timer string
	}
	s.mu.Lock()
	var found []due
	for key := range s.records {
		name, rest, _ := strings.Cut(key, "\x00")
		if rest[0] == byte(wactorv1.RecordKind_RECORD_KIND_DUE) && placement.ShardOf(name, 4) == shard {
			if ms := int64(binary.BigEndian.Uint64([]byte(rest[1:9]))); ms <= untilMs {
				found = append(found, due{ms, name, rest[9:]})
			}
		}
	}
	s.mu.Unlock()
	sort.Slice(found, func(i, j int) bool { return found[i].ms < found[j].ms })
	for _, d := range found {
		if err := each(d.ms, d.name, d.timer); err != nil {
			return err
		}
	}
	return nil
}

func (s *memoryStore) ScanFrom(_ uint32, conversation string, kind wactorv1.RecordKind, from []byte, each func([]byte,
	[]byte) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	prefix := memoryKey(conversation, kind, nil)
	var keys []string
	for key := range s.records {
		if strings.HasPrefix(key, prefix) && key[len(prefix):] >= string(from) {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	for _, key := range keys {
		if err := each([]byte(key[len(prefix):]), s.records[key]); err != nil {
			return err
		}
	}
	return nil
}
