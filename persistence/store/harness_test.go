package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/replication"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

const (
	head      = wactorv1.RecordKind_RECORD_KIND_HEAD
	state     = wactorv1.RecordKind_RECORD_KIND_STATE
	inbox     = wactorv1.RecordKind_RECORD_KIND_INBOX
	journal   = wactorv1.RecordKind_RECORD_KIND_JOURNAL
	seen      = wactorv1.RecordKind_RECORD_KIND_SEEN
	workIndex = wactorv1.RecordKind_RECORD_KIND_WORK
	dueIndex  = wactorv1.RecordKind_RECORD_KIND_DUE
)

// setup are the options of a store under test, each once.
type setup struct {
	Dir               string
	FS                vfs.FS
	Shards            int
	CacheBytes        int64
	Lanes             int
	MaxQueue          int
	MaxQueueBytes     int64
	LogBytes          int
	KeepLog, Manual   bool
	DedupWindow       time.Duration
	Now               func() time.Time
	Fatal             func(error)
	LeadershipChanged func(uint32, replication.Leadership)
	format            uint32
	tune              func(*pebble.Options)
	Replicated        func() bool
}

func (s setup) options() Options {
	return Options{
		Disk: engine.Options{Dir: s.Dir, FS: s.FS, CacheBytes: s.CacheBytes, Tune: s.tune, Replicated: s.Replicated},
		Replication: replication.Options{
			Shards: s.Shards, Manual: s.Manual, KeepLog: s.KeepLog, LeadershipChanged: s.LeadershipChanged,
			Limits: replication.Limits{
				Lanes: s.Lanes, Queue: s.MaxQueue, QueueBytes: s.MaxQueueBytes, LogBytes: s.LogBytes,
			},
		},
		DedupWindow: s.DedupWindow, Now: s.Now, Fatal: s.Fatal, format: s.format,
	}
}

// rig is a store under test and the leadership that it reported.
type rig struct {
	*Store
	t     testing.TB
	setup setup

	mu    sync.Mutex
	leads map[uint32]replication.Leadership
}

// open opens a store that is closed, and leaves no goroutine behind, when the test ends.
func open(t testing.TB, s setup) *rig {
	t.Helper()
	r, err := tryOpen(t, s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func tryOpen(t testing.TB, s setup) (*rig, error) {
	r := &rig{t: t, leads: map[uint32]replication.Leadership{}}
	if s.Shards == 0 {
		s.Shards = 4
	}
	if s.FS == nil && s.Dir == "" {
		s.FS = vfs.NewMem()
	}
	if s.CacheBytes == 0 {
		s.CacheBytes = 8 << 20
	}
	if s.Fatal == nil {
		s.Fatal = func(err error) { panic(err) }
	}
	r.setup = s
	changed := s.LeadershipChanged
	s.LeadershipChanged = func(shard uint32, now replication.Leadership) {
		r.mu.Lock()
		r.leads[shard] = now
		r.mu.Unlock()
		if changed != nil {
			changed(shard, now)
		}
	}
	var err error
	if r.Store, err = Open(s.options()); err != nil {
		return nil, err
	}
	t.Cleanup(func() { r.Close() })
	return r, nil
}

// unlessRaced is how much a test does: less of the same under the race detector.
func unlessRaced(n, less int) int {
	if raced {
		return less
	}
	return n
}

// checkLeaks fails the test if it leaves a goroutine that it did not find. Call it first.
func checkLeaks(t *testing.T) {
	found := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, found) })
}

// restart closes the store and opens what it left.
func (r *rig) restart() *rig {
	r.t.Helper()
	if err := r.Close(); err != nil {
		r.t.Fatal(err)
	}
	return open(r.t, r.setup)
}

func (r *rig) term(shard uint32) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.leads[shard].Term
}

// last is the last entry of a shard's log.
func (r *rig) last(shard uint32) uint64 {
	r.t.Helper()
	groups, err := r.Groups()
	if err != nil {
		r.t.Fatal(err)
	}
	return groups[shard].Last
}

type outcome struct {
	Revision uint64
	err      error
}

// start proposes a commit and returns where its outcome will be.
func (r *rig) start(shard uint32, c *wactorv1.Commit) <-chan outcome {
	return r.startIn(shard, r.term(shard), c)
}

func (r *rig) startIn(shard uint32, term uint64, c *wactorv1.Commit) <-chan outcome {
	out := make(chan outcome, 2) // a second answer would be a mistake, and must not block the lane
	r.Propose(shard, term, command(c), func(revision uint64, err error) { out <- outcome{revision, err} })
	return out
}

func (r *rig) commit(shard uint32, c *wactorv1.Commit) error {
	r.t.Helper()
	o := <-r.start(shard, c)
	if o.err == nil && o.Revision != c.BaseRevision+1 {
		r.t.Fatalf("a commit on revision %d made revision %d", c.BaseRevision, o.Revision)
	}
	return o.err
}

func (r *rig) mustCommit(shard uint32, c *wactorv1.Commit) {
	r.t.Helper()
	if err := r.commit(shard, c); err != nil {
		r.t.Fatal(err)
	}
}

func command(c *wactorv1.Commit) *wactorv1.Command {
	return &wactorv1.Command{Command: &wactorv1.Command_Commit{Commit: c}}
}

// commitOf makes a commit that writes a head and more.
func commitOf(conversation string, base uint64, puts ...*wactorv1.Put) *wactorv1.Commit {
	headOf := put(head, "", fmt.Sprintf("head %d", base+1))
	return &wactorv1.Commit{Conversation: conversation, BaseRevision: base, Puts: append([]*wactorv1.Put{headOf},
		puts...)}
}

func put(kind wactorv1.RecordKind, suffix, value string) *wactorv1.Put {
	return &wactorv1.Put{Kind: kind, Suffix: []byte(suffix), Value: []byte(value)}
}

func key(kind wactorv1.RecordKind, suffix string) *wactorv1.Key {
	return &wactorv1.Key{Kind: kind, Suffix: []byte(suffix)}
}

func seq(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

func seqOf(suffix string) uint64 { return binary.BigEndian.Uint64([]byte(suffix)) }

func generation(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

type kindOf = wactorv1.RecordKind

type stored struct {
	Kind          wactorv1.RecordKind
	Suffix, Value string
}

// load reads what an activation would.
func (r *rig) load(shard uint32, conversation string) (uint64, []stored) {
	r.t.Helper()
	return loaded(r.t, r.Store, shard, conversation)
}

func loaded(t testing.TB, s *Store, shard uint32, conversation string) (uint64, []stored) {
	t.Helper()
	var out []stored
	revision, err := s.Load(shard, conversation, func(kind wactorv1.RecordKind, suffix, value []byte) error {
		out = append(out, stored{kind, string(suffix), string(value)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return revision, out
}

func (r *rig) scanned(shard uint32, conversation string, kind wactorv1.RecordKind) []stored {
	r.t.Helper()
	var out []stored
	err := r.Scan(shard, conversation, kind, func(suffix, value []byte) error {
		out = append(out, stored{kind, string(suffix), string(value)})
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	if len(out) > 0 { // the same again from the middle on
		middle := out[len(out)/2:]
		err = r.ScanFrom(shard, conversation, kind, []byte(middle[0].Suffix), func(suffix, _ []byte) error {
			if len(middle) == 0 || string(suffix) != middle[0].Suffix {
				return fmt.Errorf("suffix %q where %v is to come", suffix, middle)
			}
			middle = middle[1:]
			return nil
		})
		if err != nil || len(middle) > 0 {
			r.t.Fatalf("from the middle on: %v; %v did not come", err, middle)
		}
	}
	return out
}

func wantErr(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("got error %v, want %v", got, want)
	}
}

// tryLoad loads a conversation of shard 1, which may be damaged.
func (r *rig) tryLoad(conversation string) (revision uint64, records int, err error) {
	revision, err = r.Load(1, conversation, func(kindOf, []byte, []byte) error { records++; return nil })
	return revision, records, err
}
