package replication

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
)

// step is the command of these tests: it moves the counter of a name on by one, from base.
type step struct {
	name string
	base uint64
	text string
}

func (s step) encode() []byte {
	out := binary.BigEndian.AppendUint64(nil, s.base)
	return append(append(binary.AppendUvarint(out, uint64(len(s.name))), s.name...), s.text...)
}

func decodeStep(data []byte) (s step, ok bool) {
	if len(data) < 9 {
		return step{}, false
	}
	s.base, data = binary.BigEndian.Uint64(data), data[8:]
	n, used := binary.Uvarint(data)
	if used <= 0 || n > uint64(len(data)-used) {
		return step{}, false
	}
	s.name, s.text = string(data[used:used+int(n)]), string(data[used+int(n):])
	return s, true
}

// errStale: the counter is elsewhere.
var errStale = NewRejection("stale", "the counter is elsewhere")

// counters is a state machine that knows the least that these tests need: where each counter is.
type counters struct {
	shard uint32
	db    *engine.Engine
	// open are the counters of the batch that is being filled.
	open map[string]uint64
}

func counterKey(shard uint32, name string) []byte { return record.Head(shard, name) }

func (c *counters) at(name string) (uint64, error) {
	if n, ok := c.open[name]; ok {
		return n, nil
	}
	value, closer, err := c.db.Get(counterKey(c.shard, name))
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, engine.Error(err)
	}
	defer closer.Close()
	return binary.BigEndian.Uint64(value), nil
}

// Apply implements StateMachine.
func (c *counters) Apply(batch *pebble.Batch, _ uint64, command Command) (uint64, error) {
	s, ok := command.Value.(step)
	if !ok {
		if s, ok = decodeStep(command.Data); !ok {
			return 0, fmt.Errorf("%w: command", engine.ErrCorrupt)
		}
	}
	at, err := c.at(s.name)
	if err != nil {
		return 0, err
	}
	if at != s.base {
		return at, errStale
	}
	c.open[s.name] = at + 1
	value := append(binary.BigEndian.AppendUint64(nil, at+1), s.text...)
	return at + 1, batch.Set(counterKey(c.shard, s.name), value, nil)
}

// Applied implements StateMachine.
func (c *counters) Applied() { clear(c.open) }

// Snapshot implements StateMachine.
func (c *counters) Snapshot() (*pebble.Iterator, error) {
	return c.db.NewIter(engine.Bounds(record.State(c.shard)))
}

// Ingest implements StateMachine.
func (c *counters) Ingest() { clear(c.open) }

// setup are the options of a host under test, with those of its engine.
type setup struct {
	Options
	Dir  string
	FS   vfs.FS
	tune func(*pebble.Options)
}

// Store is a host under test, with its engine.
type Store struct {
	*Host
	setup setup
	t     testing.TB

	mu    sync.Mutex
	leads map[uint32]Leadership
}

// open opens a store that is closed when the test ends.
func open(t testing.TB, s setup) *Store {
	t.Helper()
	store, err := tryOpen(t, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func tryOpen(t testing.TB, s setup) (*Store, error) {
	store := &Store{t: t, leads: map[uint32]Leadership{}}
	if s.Shards == 0 {
		s.Shards = 4
	}
	if s.FS == nil && s.Dir == "" {
		s.FS = vfs.NewMem()
	}
	store.setup = s
	db, err := engine.Open(engine.Options{
		Dir: s.Dir, FS: s.FS, CacheBytes: 1 << 20, Tune: s.tune, Fatal: func(err error) { panic(err) },
	})
	if err != nil {
		return nil, err
	}
	o := s.Options
	o.Engine = db
	o.Machine = func(shard uint32) StateMachine {
		return &counters{shard: shard, db: db, open: map[string]uint64{}}
	}
	o.Encode = func(value any) ([]byte, error) { return value.(step).encode(), nil }
	changed := o.LeadershipChanged
	o.LeadershipChanged = func(shard uint32, now Leadership) {
		store.mu.Lock()
		store.leads[shard] = now
		store.mu.Unlock()
		if changed != nil {
			changed(shard, now)
		}
	}
	if store.Host, err = Open(o); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return store, nil
}

// Close closes the host and its engine.
func (s *Store) Close() error {
	if err := s.Host.Close(); err != nil {
		return err
	}
	return s.db.Close()
}

func (s *Store) term(shard uint32) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leads[shard].Term
}

type outcome struct {
	result uint64
	err    error
}

// start proposes a step and returns where its outcome will be.
func (s *Store) start(shard uint32, c step) <-chan outcome {
	out := make(chan outcome, 2) // a second answer would be a mistake, and must not block the lane
	s.Propose(shard, s.term(shard), c, func(result uint64, err error) { out <- outcome{result, err} })
	return out
}

func (s *Store) mustCommit(shard uint32, c step) {
	s.t.Helper()
	select {
	case o := <-s.start(shard, c):
		if o.err != nil || o.result != c.base+1 {
			s.t.Fatalf("a step from %d went to %d, %v", c.base, o.result, o.err)
		}
	case <-time.After(time.Minute):
		s.t.Fatal("no answer")
	}
}

// counter is where a counter is.
func (s *Store) counter(shard uint32, name string) (at uint64) {
	s.t.Helper()
	err := s.Read(shard, func() error {
		value, closer, err := s.db.Get(counterKey(shard, name))
		if errors.Is(err, pebble.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		at = binary.BigEndian.Uint64(value)
		return closer.Close()
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return at
}

// scan reads a range.
func (s *Store) scan(r record.Range, each func(key, value []byte)) {
	s.t.Helper()
	iter, err := s.db.NewIter(engine.Bounds(r))
	if err != nil {
		s.t.Fatal(err)
	}
	defer iter.Close()
	for valid := iter.First(); valid; valid = iter.Next() {
		each(iter.Key(), iter.Value())
	}
	if err := iter.Error(); err != nil {
		s.t.Fatal(err)
	}
}

func wantErr(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("error %v, want %v", got, want)
	}
}
