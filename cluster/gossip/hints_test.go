package gossip

import (
	"bytes"
	"errors"
	"log/slog"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const (
	nodeA = 0xa7
	nodeB = 0xf00dfeedcafebabe
)

func TestHintsComeBack(t *testing.T) {
	want := []Hint{{0, 1, 1}, {4096, math.MaxUint64, math.MaxUint64}, {7, 300, nodeA}}
	cluster, got, err := decodeHints(encodeHints(math.MaxUint64, want...))
	if err != nil {
		t.Fatal(err)
	}
	if cluster != math.MaxUint64 {
		t.Errorf("cluster %x", cluster)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, none, err := decodeHints(encodeHints(1)); err != nil || len(none) != 0 {
		t.Errorf("no hints: got %v, %v", none, err)
	}
	// What nodes of this version say must be understood by all later ones.
	if diff := cmp.Diff([]byte{1, 9, 7, 0xac, 2, 0xa7, 1}, encodeHints(9, want[2])); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestHintsAreRefused(t *testing.T) {
	for name, buf := range map[string][]byte{
		"empty":             {},
		"another kind":      {2, 9, 7, 1, 1},
		"no cluster":        {1},
		"cut off":           {1, 9, 7, 1},
		"no end":            {1, 9, 7, 0xff},
		"term 0":            {1, 9, 7, 0, 1},
		"node 0":            {1, 9, 7, 1, 0},
		"shard 4097":        {1, 9, 0x81, 0x20, 1, 1},
		"shard 1 << 32":     {1, 9, 0x80, 0x80, 0x80, 0x80, 0x10, 1, 1},
		"one good, one bad": {1, 9, 7, 1, 1, 8, 0, 1},
		"too many":          append([]byte{1}, bytes.Repeat([]byte{1}, maxClusterBytes+maxHints*maxHintBytes+1)...),
	} {
		t.Run(name, func(t *testing.T) {
			if _, hints, err := decodeHints(buf); !errors.Is(err, errHints) || hints != nil {
				t.Errorf("got %v, %v", hints, err)
			}
		})
	}
}

func someHint(t *rapid.T) Hint {
	return Hint{
		Shard: rapid.Uint32Range(0, 3).Draw(t, "shard"),
		Term:  rapid.Uint64Range(1, 5).Draw(t, "term"),
		Node:  rapid.Uint64Range(1, 3).Draw(t, "node"),
	}
}

// In whatever order hints arrive, and whichever ways: each node knows the greatest term of each
// shard, and passes only that on.
func TestNewerTermsWin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newHints(func() int { return 3 })
		newest, passed := map[uint32]Hint{}, map[uint32]Hint{}
		for range rapid.IntRange(0, 20).Draw(t, "hints") {
			h, pass := someHint(t), rapid.Bool().Draw(t, "pass")
			s.learn(h, pass)
			if h.Term > newest[h.Shard].Term {
				newest[h.Shard] = h
				if _, passing := passed[h.Shard]; pass || passing {
					passed[h.Shard] = h
				}
			}
		}
		for shard := range uint32(5) {
			if got, known := s.leader(shard); got != newest[shard] || known != (newest[shard] != Hint{}) {
				t.Fatalf("shard %d: got %+v, %v; want %+v", shard, got, known, newest[shard])
			}
		}
		_, state, err := decodeHints(s.encode(9))
		if err != nil || !equalHints(state, slices.Collect(maps.Values(newest))) {
			t.Fatalf("the state is %v, %v; want %v", state, err, newest)
		}
		var passing []Hint
		if message := s.gossip(9, 1400); message != nil {
			if _, passing, err = decodeHints(message); err != nil {
				t.Fatal(err)
			}
		}
		if !equalHints(passing, slices.Collect(maps.Values(passed))) {
			t.Fatalf("passes on %v, want %v", passing, passed)
		}
	})
}

func equalHints(a, b []Hint) bool {
	order := func(a, b Hint) int { return int(a.Shard) - int(b.Shard) }
	slices.SortFunc(a, order)
	slices.SortFunc(b, order)
	return slices.Equal(a, b)
}

func TestImpossibleHintsAreNotAnnounced(t *testing.T) {
	m := &Membership{hints: newHints(func() int { return 3 })}
	for _, h := range []Hint{{Shard: 1, Term: 1}, {Shard: 1, Node: 1}, {Shard: 4097, Term: 1, Node: 1}} {
		m.Announce(h)
		if got, known := m.Leader(h.Shard); known {
			t.Errorf("announced %+v, got %+v", h, got)
		}
	}
	m.Announce(Hint{4096, 1, 1})
	if _, known := m.Leader(4096); !known {
		t.Error("the last shard has no hint")
	}
}

func TestMalformedGossipIsIgnored(t *testing.T) {
	d := delegate{&Membership{
		self: Peer{Cluster: 9}, hints: newHints(func() int { return 3 }),
		options: Options{Logger: slog.New(slog.DiscardHandler)},
	}}
	d.NotifyMsg([]byte{1, 9, 7, 1})
	d.NotifyMsg(nil)
	d.MergeRemoteState([]byte{9}, true)
	d.NotifyMsg(encodeHints(9, Hint{7, 2, 1}))
	d.MergeRemoteState(encodeHints(9, Hint{7, 3, 2}, Hint{8, 1, 1}), false)
	if got, _ := d.m.Leader(7); got != (Hint{7, 3, 2}) {
		t.Errorf("got %+v", got)
	}
	if _, got, err := decodeHints(d.LocalState(false)); err != nil || len(got) != 2 {
		t.Errorf("the state is %v, %v", got, err)
	}
}

// The terms of another cluster say nothing about this one's, and a node without a cluster has no
// leaders.
func TestHintsOfAnotherClusterAreIgnored(t *testing.T) {
	for own, want := range map[uint64]bool{9: true, 8: false, 0: false} {
		d := delegate{&Membership{
			self: Peer{Cluster: own}, hints: newHints(func() int { return 3 }),
			options: Options{Logger: slog.New(slog.DiscardHandler)},
		}}
		d.NotifyMsg(encodeHints(9, Hint{7, 2, 1}))
		d.MergeRemoteState(encodeHints(9, Hint{8, 2, 1}), true)
		_, gossip := d.m.Leader(7)
		_, state := d.m.Leader(8)
		if gossip != want || state != want {
			t.Errorf("a node of cluster %d took hints of cluster 9: %v and %v, want %v", own, gossip, state, want)
		}
	}
}

// Each hint is passed on as often as it takes, in messages that keep to the limit, and then no
// more.
func TestHintsArePassedOnSomeTimes(t *testing.T) {
	for name, test := range map[string]struct{ nodes, times int }{"alone": {1, 4}, "three": {3, 4}, "nine": {9, 4},
		"ten": {10, 8}, "hundred": {100, 12}} {
		t.Run(name, func(t *testing.T) {
			s := newHints(func() int { return test.nodes })
			for shard := range uint32(maxHints) {
				s.learn(Hint{shard, 1, nodeB}, true)
			}
			times := map[uint32]int{}
			for message := s.gossip(9, 1300); message != nil; message = s.gossip(9, 1300) {
				_, hints, err := decodeHints(message)
				if err != nil || len(message) > 1300 {
					t.Fatalf("%d bytes, %v", len(message), err)
				}
				for _, h := range hints {
					times[h.Shard]++
				}
			}
			for shard := range uint32(maxHints) {
				if times[shard] != test.times {
					t.Fatalf("shard %d was passed on %d times, want %d", shard, times[shard], test.times)
				}
			}
		})
	}
}

func TestGossipWithoutRoom(t *testing.T) {
	d := delegate{&Membership{hints: newHints(func() int { return 3 })}}
	d.m.Announce(Hint{4096, math.MaxUint64, math.MaxUint64})
	for _, limit := range []int{-5, 0, 3, 25} {
		if got := d.GetBroadcasts(3, limit); got != nil {
			t.Errorf("with %d bytes: got %v", limit, got)
		}
	}
	if got := d.GetBroadcasts(3, 27); len(got) != 1 || len(got[0]) != 24 {
		t.Errorf("got %v", got)
	}
}

func FuzzHints(f *testing.F) {
	f.Add(encodeHints(0))
	f.Add(encodeHints(9, Hint{0, 1, 1}))
	f.Add(encodeHints(math.MaxUint64, Hint{4096, math.MaxUint64, math.MaxUint64}, Hint{7, 300, nodeA}))
	f.Add([]byte{1, 9, 0x80, 0x80, 0x80, 0x80, 0x10, 1, 1})
	f.Fuzz(func(t *testing.T, buf []byte) {
		cluster, hints, err := decodeHints(buf)
		if err != nil {
			if hints != nil {
				t.Fatalf("refused hints are returned: %v", hints)
			}
			return
		}
		for _, h := range hints {
			if !h.valid() {
				t.Fatalf("accepted %+v", h)
			}
		}
		same, again, err := decodeHints(encodeHints(cluster, hints...))
		if err != nil || same != cluster || !slices.Equal(again, hints) {
			t.Fatalf("%v becomes %v, %v", hints, again, err)
		}
	})
}

func BenchmarkStateOfAllShards(b *testing.B) {
	s := newHints(func() int { return 3 })
	for shard := range uint32(maxHints) {
		s.learn(Hint{shard, 1000, nodeB}, false)
	}
	for b.Loop() {
		if _, hints, err := decodeHints(s.encode(9)); err != nil || len(hints) != maxHints {
			b.Fatal(len(hints), err)
		}
	}
}
