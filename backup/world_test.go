package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

const testShards = 3

// fakeCluster is one or more nodes whose shards are maps.
type fakeCluster struct {
	shards   map[uint32]map[string][]byte
	sessions func() []Session
}

// newCluster has conversations in each shard: one that was answered, one with a message that waits
// for a turn, and one with a reply that waits for the provider.
func newCluster() *fakeCluster {
	c := &fakeCluster{shards: map[uint32]map[string][]byte{}}
	for shard := uint32(1); shard <= testShards; shard++ {
		records := map[string][]byte{}
		for _, state := range []string{"answered", "waiting", "replying"} {
			play(records, fmt.Sprintf("%s%d", state, shard), state)
		}
		c.shards[shard] = records
	}
	c.sessions = func() []Session { return []Session{&fakeSession{cluster: c}} }
	return c
}

func (c *fakeCluster) Shards() uint32  { return testShards }
func (c *fakeCluster) Cluster() uint64 { return 0xc1 }
func (c *fakeCluster) Sessions(context.Context) ([]Session, error) {
	return c.sessions(), nil
}

// play makes the records of a conversation in a state.
func play(records map[string][]byte, user, state string) {
	cfg := conversation.Config{}.WithDefaults()
	c := conversation.New(conversation.ID{Channel: "shop", User: user}, cfg)
	var step func(conversation.Event)
	step = func(event conversation.Event) {
		for _, effect := range c.Step(startMs, event) {
			switch e := effect.(type) {
			case conversation.Commit:
				commit(records, e)
				step(conversation.Committed{Revision: e.Revision})
			case conversation.CallBot:
				if state != "waiting" {
					step(conversation.Answered{Turn: e.Turn, Answer: &conversation.Answer{
						State:   []byte(`{"n":1}`),
						Replies: []*wactorv1.Reply{{Content: &wactorv1.Reply_Text{Text: "hello " + user}}}}})
				}
			case conversation.Send:
				if state == "answered" {
					step(conversation.SendDone{Seq: e.Seq, Try: e.Try,
						Result: provider.Result{Outcome: provider.Sent, ProviderID: "wamid.1"}})
				}
			}
		}
	}
	step(conversation.Arrived{Ref: 1, User: &wactorv1.User{WaId: user}, Message: &wactorv1.Message{
		Id: "wamid." + user, Type: "text", Text: "hi", SentMs: startMs, ReceivedMs: startMs}})
}

const startMs = 1_800_000_000_000

func commit(records map[string][]byte, e conversation.Commit) {
	for _, put := range e.Command.Puts {
		value := append([]byte{}, put.Value...)
		if put.Kind == wactorv1.RecordKind_RECORD_KIND_HEAD {
			value = record.JoinHead(record.Standing{Revision: e.Revision, Chain: 7}, value)
		}
		records[string(keyOf(e.Command.Conversation, put.Kind, put.Suffix))] = value
	}
	for _, key := range e.Command.Deletes {
		delete(records, string(keyOf(e.Command.Conversation, key.Kind, key.Suffix)))
	}
}

// fakeSession is a node that leads the shards that it is given, or all.
type fakeSession struct {
	cluster *fakeCluster
	leads   []uint32
	term    uint64
	fail    map[string]error // by step
	closed  bool
}

func (s *fakeSession) Hold(context.Context) ([]*heldShard, uint64, error) {
	var held []*heldShard
	for shard := uint32(1); shard <= testShards; shard++ {
		if s.leads == nil || slices.Contains(s.leads, shard) {
			held = append(held, &heldShard{Shard: shard, Term: max(s.term, 1)})
		}
	}
	return held, 4, s.fail["hold"]
}

func (s *fakeSession) View(_ context.Context, shards []uint32) ([]*heldShard, error) {
	var views []*heldShard
	for _, shard := range shards {
		views = append(views, &heldShard{Shard: shard, Index: 100 + uint64(shard)})
	}
	return views, s.fail["view"]
}

func (s *fakeSession) Release(context.Context) error { return s.fail["release"] }
func (s *fakeSession) Close()                        { s.closed = true }

func (s *fakeSession) Read(_ context.Context, shard uint32, each func(key, value []byte) error) error {
	records := s.cluster.shards[shard]
	for _, key := range slices.Sorted(maps.Keys(records)) {
		if err := each([]byte(key), records[key]); err != nil {
			return err
		}
	}
	return s.fail["read"]
}

// memory is a Target in memory, which can be made to fail.
type memory struct {
	mu      sync.Mutex
	objects map[string][]byte
	// failAfter is how many writes succeed; then each fails, as if a bucket answered 503. Negative:
	// all succeed.
	failAfter int
}

func newMemory() *memory { return &memory{objects: map[string][]byte{}, failAfter: -1} }

var errBucket = errors.New("the bucket answers 503")

type memoryDraft struct {
	bytes.Buffer
	m    *memory
	name string
}

func (m *memory) fails() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failAfter == 0 {
		return true
	}
	m.failAfter--
	return false
}

func (m *memory) Create(_ context.Context, name string) (Draft, error) {
	return &memoryDraft{m: m, name: name}, nil
}

func (d *memoryDraft) Write(p []byte) (int, error) {
	if d.m.fails() {
		return 0, errBucket
	}
	return d.Buffer.Write(p)
}

func (d *memoryDraft) Commit() error {
	if d.m.fails() {
		return errBucket
	}
	d.m.mu.Lock()
	defer d.m.mu.Unlock()
	d.m.objects[d.name] = bytes.Clone(d.Bytes())
	return nil
}

func (d *memoryDraft) Abort() {}

func (m *memory) Open(_ context.Context, name string) (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.objects[name]
	if !ok {
		return nil, ErrMissing
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (m *memory) List(_ context.Context, prefix string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(m.objects)) {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names, nil
}

func (m *memory) Delete(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, name)
	return nil
}

// made makes a backup, or fails the test.
func made(t *testing.T, target Target, recipients ...age.Recipient) *Manifest {
	t.Helper()
	created, err := Create(t.Context(), newCluster(), target, Options{Recipients: recipients, Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	return created.Manifest
}

// all reads all records of a backup, as they were.
func all(t *testing.T, target Target, m *Manifest, keys ...age.Identity) map[uint32]map[string][]byte {
	t.Helper()
	shards := map[uint32]map[string][]byte{}
	for _, o := range m.Objects {
		shards[o.Shard] = map[string][]byte{}
		if err := readObject(t.Context(), target, m, o, keys, func(key, value []byte) error {
			shards[o.Shard][string(key)] = bytes.Clone(value)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return shards
}
