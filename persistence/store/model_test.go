package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// model is what a store promises, in maps.
type model struct {
	revisions map[string]uint64
	// records by conversation and kind, then by suffix.
	records map[string]map[kindOf]map[string]string
}

func (m *model) of(name string, kind kindOf) map[string]string {
	if m.records[name] == nil {
		m.records[name] = map[kindOf]map[string]string{}
	}
	if m.records[name][kind] == nil {
		m.records[name][kind] = map[string]string{}
	}
	return m.records[name][kind]
}

func (m *model) commit(c *wactorv1.Commit) bool {
	if m.revisions[c.Conversation] != c.BaseRevision {
		return false
	}
	m.revisions[c.Conversation]++
	for _, put := range c.Puts {
		m.of(c.Conversation, put.Kind)[string(put.Suffix)] = string(put.Value)
	}
	for _, key := range c.Deletes {
		delete(m.of(c.Conversation, key.Kind), string(key.Suffix))
	}
	return true
}

func (m *model) expire(before uint32) {
	for _, kinds := range m.records {
		maps.DeleteFunc(kinds[seen], func(suffix, _ string) bool { return suffix < generation(before) })
	}
}

func (m *model) loaded(name string) (out []stored) {
	for _, kind := range record.Loaded() {
		out = append(out, m.scanned(name, kind)...)
	}
	return out
}

func (m *model) scanned(name string, kind kindOf) (out []stored) {
	records := m.of(name, kind)
	for _, suffix := range slices.Sorted(maps.Keys(records)) {
		out = append(out, stored{kind, suffix, records[suffix]})
	}
	return out
}

// names are such that one is the beginning of another, and hold what the keys use to end a name.
var names = []string{"a", "a\x00", "a\x00\x01", "a\x00\xc3\xbf", "ab", "a/1", "b"}

func draw[V any](t *rapid.T, of []V, label string) V { return rapid.SampledFrom(of).Draw(t, label) }

// drawKey draws a record that may be put or deleted; few different ones, so that they meet.
func drawKey(t *rapid.T) *wactorv1.Key {
	tails := []string{"", "\x00", "\x00\x01", "x", "\xff"}
	switch kind := draw(t, []kindOf{state, inbox, journal, wactorv1.RecordKind_RECORD_KIND_OUTBOX,
		wactorv1.RecordKind_RECORD_KIND_TIMER,
		wactorv1.RecordKind_RECORD_KIND_DEAD, seen, workIndex, dueIndex}, "kind"); kind {
	case state, workIndex:
		return key(kind, "")
	case seen:
		return key(kind, generation(draw(t, []uint32{0, 1, 2, 1 << 31}, "generation"))+draw(t, []string{"x", "x\x00",
			"\x00\x01y"}, "id"))
	case dueIndex:
		return key(kind, seq(draw(t, []uint64{0, 1, 255, 256, 1 << 40}, "due"))+draw(t, []string{"t", "t\x00",
			"\x00\x01"}, "timer"))
	default:
		return key(kind, draw(t, tails, "suffix"))
	}
}

func drawCommit(t *rapid.T, m *model) *wactorv1.Commit {
	c := &wactorv1.Commit{Conversation: draw(t, names, "conversation")}
	c.BaseRevision = m.revisions[c.Conversation]
	if rapid.IntRange(0, 9).Draw(t, "stale") == 0 {
		c.BaseRevision += uint64(rapid.IntRange(-2, 2).Draw(t, "off"))
	}
	c.Puts = append(c.Puts, put(head, "", fmt.Sprint("head ", rapid.IntRange(0, 99).Draw(t, "head"))))
	for range rapid.IntRange(0, 4).Draw(t, "puts") {
		k := drawKey(t)
		c.Puts = append(c.Puts, put(k.Kind, string(k.Suffix), draw(t, []string{"", "v", "w", strings.Repeat("long",
			2000)}, "value")))
	}
	for range rapid.IntRange(0, 3).Draw(t, "deletes") {
		c.Deletes = append(c.Deletes, drawKey(t))
	}
	return c
}

// TestStoreIsAMap holds random commits, expiries, restarts and reads against the model.
func TestStoreIsAMap(t *testing.T) {
	began := time.Now()
	rapid.Check(t, func(rt *rapid.T) {
		if raced && time.Since(began) > 10*time.Second {
			return // what is looked for here is no race
		}
		m := &model{revisions: map[string]uint64{}, records: map[string]map[kindOf]map[string]string{}}
		options := setup{FS: vfs.NewMem(), Dir: "store", Shards: 2, LogBytes: 2000, CacheBytes: 1 << 20,
			tune: func(o *pebble.Options) { o.MemTableSize = 32 << 10 }}
		options.KeepLog = rapid.Bool().Draw(rt, "keeps a log")
		r := open(t, options)
		defer func() { r.Close() }()
		rt.Repeat(map[string]func(*rapid.T){
			"commit": func(rt *rapid.T) {
				var outcomes []<-chan outcome
				var want []bool
				for range rapid.IntRange(1, 5).Draw(rt, "pipelined") {
					c := drawCommit(rt, m)
					outcomes, want = append(outcomes, r.start(1, c)), append(want, m.commit(c))
				}
				for i, out := range outcomes {
					if o := <-out; (o.err == nil) != want[i] || o.err != nil && !errors.Is(o.err, ErrStale) {
						rt.Fatalf("commit %d of the chain: %v, want applied: %v", i, o.err, want[i])
					}
				}
			},
			"expire": func(rt *rapid.T) {
				before := draw(rt, []uint32{0, 1, 2, 3, 1<<32 - 1}, "before")
				out := make(chan error, 1)
				r.Propose(1, r.term(1), &wactorv1.Command{Command: &wactorv1.Command_ExpireSeen{
					ExpireSeen: &wactorv1.ExpireSeen{Before: before}}},
					func(_ uint64, err error) { out <- err })
				if err := <-out; err != nil {
					rt.Fatal(err)
				}
				m.expire(before)
			},
			"flush": func(rt *rapid.T) {
				if err := r.db.Flush(); err != nil {
					rt.Fatal(err)
				}
			},
			"restart": func(rt *rapid.T) {
				r.Close()
				r = open(t, options)
			},
			"": func(rt *rapid.T) { m.check(rt, r) },
		})
	})
}

func (m *model) check(t *rapid.T, r *rig) {
	type timer struct {
		due         int64
		name, timer string
	}
	wantWork, wantDue := map[string]bool{}, map[timer]bool{}
	until := draw(t, []int64{-1, 0, 255, 1 << 41}, "until")
	for _, name := range names {
		revision, records := r.load(1, name)
		if diff := cmp.Diff(m.loaded(name), records); diff != "" || revision != m.revisions[name] {
			t.Fatalf("%q at revision %d, want %d (-want +got):\n%s", name, revision, m.revisions[name], diff)
		}
		for _, kind := range append(record.Loaded(), wactorv1.RecordKind_RECORD_KIND_JOURNAL,
			wactorv1.RecordKind_RECORD_KIND_DEAD) {
			if diff := cmp.Diff(m.scanned(name, kind), r.scanned(1, name, kind)); diff != "" {
				t.Fatalf("%v of %q (-want +got):\n%s", kind, name, diff)
			}
		}
		for _, g := range []uint32{0, 1, 2, 1 << 31} {
			for _, id := range []string{"x", "x\x00", "\x00\x01y"} {
				_, want := m.of(name, seen)[generation(g)+id]
				if r.knows(1, name, g, id) != want {
					t.Fatalf("message %q of %q in generation %d: want known: %v", id, name, g, want)
				}
			}
		}
		if _, ok := m.of(name, workIndex)[""]; ok {
			wantWork[name] = true
		}
		for suffix := range m.of(name, dueIndex) {
			if at := int64(seqOf(suffix)); at <= until {
				wantDue[timer{at, name, suffix[8:]}] = true
			}
		}
	}
	gotWork, gotDue, last := map[string]bool{}, map[timer]bool{}, int64(-1)
	err := errors.Join(
		r.Work(1, func(name string) error { gotWork[name] = true; return nil }),
		r.Due(1, until, func(at int64, name, id string) error {
			if at < last {
				t.Fatalf("timer due at %d after one due at %d", at, last)
			}
			last, gotDue[timer{at, name, id}] = at, true
			return nil
		}),
		r.Work(2, func(name string) error { return fmt.Errorf("%q works in another shard", name) }))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantWork, gotWork); diff != "" {
		t.Fatalf("work (-want +got):\n%s", diff)
	}
	if !maps.Equal(wantDue, gotDue) {
		t.Fatalf("timers %v, want %v", gotDue, wantDue)
	}
}
