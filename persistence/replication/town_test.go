package replication

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/record"
)

// town is a few stores that the test drives itself, over a network that does what the test says.
type town struct {
	t      *testing.T
	shards int
	houses []*house
	now    time.Duration
	random *rand.Rand
	wires  []wire
	// cut says whether messages from one node to another are lost.
	cut func(from, to *house) bool
	// tune changes the options of each store.
	tune func(*Options)
}

type house struct {
	*Store
	town  *town
	fs    *vfs.MemFS
	leads map[uint32]Leadership
	down  bool
	// paused: it does nothing, and what is sent to it waits.
	paused bool
}

type wire struct {
	from, to *house
	m        Message
	snapshot [][2][]byte // where it is one
}

func newTown(t *testing.T, houses, shards int) *town {
	w := &town{t: t, shards: shards, random: rand.New(rand.NewPCG(1, 2)), cut: func(_, _ *house) bool { return false }}
	for i := range houses {
		w.add(i > 0)
	}
	t.Cleanup(func() {
		for _, h := range w.houses {
			if !h.down {
				h.Close()
			}
		}
	})
	return w
}

func (w *town) add(joining bool) *house {
	h := &house{town: w, fs: vfs.NewCrashableMem(), leads: map[uint32]Leadership{}}
	w.houses = append(w.houses, h)
	h.open(joining)
	return h
}

func (h *house) open(joining bool) {
	h.town.t.Helper()
	clear(h.leads)
	options := setup{FS: h.fs, Dir: "store", Options: Options{
		Shards: h.town.shards, Joining: joining, Manual: true, Limits: Limits{Lanes: 2},
		Monotonic:         func() time.Duration { return h.town.now },
		LeadershipChanged: func(shard uint32, now Leadership) { h.leads[shard] = now },
		Transport: Transport{
			Send: func(messages []Message) {
				for _, m := range messages {
					h.post(m, nil)
				}
			},
			SendSnapshot: h.sendSnapshot,
		},
	}}
	if h.town.tune != nil {
		h.town.tune(&options.Options)
	}
	store, err := tryOpen(h.town.t, options)
	if err != nil {
		h.town.t.Fatal(err)
	}
	h.Store, h.down, h.paused = store, false, false
}

func (h *house) post(m Message, snapshot [][2][]byte) {
	to := h.town.house(m.Node)
	if to == nil || h.town.cut(h, to) {
		return
	}
	m.Node, m.Message = h.Node(), proto.CloneOf(m.Message)
	h.town.wires = append(h.town.wires, wire{h, to, m, snapshot})
}

func (h *house) sendSnapshot(m Message, snapshot *Snapshot) {
	defer snapshot.Close()
	h.post(m, snapshotRecords(h.town.t, snapshot))
	h.SnapshotSent(m, nil)
}

func snapshotRecords(t *testing.T, snapshot *Snapshot) [][2][]byte {
	records := [][2][]byte{}
	err := snapshot.Each(func(key, value []byte) error {
		records = append(records, [2][]byte{slices.Clone(key), slices.Clone(value)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func (w *town) house(node uint64) *house {
	for _, h := range w.houses {
		if h.Store != nil && h.Node() == node {
			return h
		}
	}
	return nil
}

// crash loses what was not synced, perhaps.
func (h *house) crash() {
	h.fs = h.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: h.town.random})
	h.Close()
	h.down = true
}

// run lets ticks go by; everything that was sent within one arrives in the next.
func (w *town) run(ticks int) {
	w.t.Helper()
	for range ticks {
		w.now += TickInterval
		for _, h := range w.houses {
			if !h.down && !h.paused {
				h.Tick()
				h.drive()
			}
		}
		w.settle()
	}
}

func (h *house) drive() {
	if err := h.Drive(); err != nil {
		h.town.t.Fatal(err)
	}
}

// settle delivers messages until none is under way.
func (w *town) settle() {
	for range 100 {
		wires := w.wires
		w.wires = nil
		for _, one := range wires {
			switch {
			case one.to.down:
			case one.to.paused:
				w.wires = append(w.wires, one)
			case one.m.GetType() == raftpb.MsgSnap:
				one.to.receiveSnapshot(one)
			default:
				if err := one.to.Receive(one.m); err != nil {
					w.t.Fatal(err)
				}
				one.to.drive()
			}
		}
		if len(w.wires) == 0 {
			return
		}
	}
}

func (h *house) receiveSnapshot(one wire) {
	staged, err := h.Stage(one.m.Shard)
	if err != nil {
		h.town.t.Fatal(err)
	}
	for _, record := range one.snapshot {
		if err := staged.Add(record[0], record[1]); err != nil {
			h.town.t.Fatal(err)
		}
	}
	staged.Commit(one.m, func(err error) {
		if err != nil && !errors.Is(err, errNotTaken) {
			h.town.t.Fatal(err)
		}
	})
	h.drive()
}

// leader is the one house that may use a shard.
func (w *town) leader(shard uint32) *house {
	var found *house
	for _, h := range w.houses {
		if !h.down && !h.paused && h.leads[shard].Ready && h.Leased(shard, h.leads[shard].Term) {
			if found != nil {
				w.t.Fatalf("two hold a lease of shard %d", shard)
			}
			found = h
		}
	}
	return found
}

func (w *town) await(what string, done func() bool) {
	w.t.Helper()
	for range 2000 {
		if done() {
			return
		}
		w.run(1)
	}
	w.t.Fatalf("never: %s", what)
}

func (w *town) awaitLeader(shard uint32) *house {
	w.t.Helper()
	w.await("a leader", func() bool { return w.leader(shard) != nil })
	return w.leader(shard)
}

// group is how a house sees its replica of a shard.
func (h *house) group(shard uint32) *Group {
	groups, err := h.Groups()
	if err != nil {
		h.town.t.Fatal(err)
	}
	for i := range groups {
		if groups[i].Shard == shard {
			return &groups[i]
		}
	}
	return nil
}

// change makes a change and waits until it is done; voters that leave are learners first.
func (w *town) change(shard uint32, c Change) {
	w.t.Helper()
	leader := w.awaitLeader(shard)
	g := leader.group(shard)
	if c.Add != 0 {
		if err := w.house(c.Add).CreateReplica(shard, g.Next); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := leader.ChangeReplicas(shard, g.Leadership.Term, c); err != nil {
		w.t.Fatal(err)
	}
	var demoted []uint64
	for _, m := range g.Members {
		if m.Voter && slices.Contains(c.Remove, m.Replica) {
			demoted = append(demoted, m.Replica)
		}
	}
	w.await("the change", func() bool {
		now := leader.group(shard)
		if now == nil || !now.Leading {
			now = w.awaitLeader(shard).group(shard) // it has to leave itself
		}
		done := !now.Joint && (c.Add == 0 || now.Next == g.Next+1)
		for _, m := range now.Members {
			left := !slices.Contains(c.Remove, m.Replica) || m.Learner && slices.Contains(demoted, m.Replica)
			done = done && left && (!slices.Contains(c.Promote, m.Replica) || m.Voter)
		}
		return done
	})
	if len(demoted) > 0 {
		w.change(shard, Change{Remove: demoted})
	}
}

// spread gives a shard a voter in each house.
func (w *town) spread(shard uint32) {
	w.t.Helper()
	var learners []uint64
	for _, h := range w.houses {
		if h.group(shard) == nil {
			next := w.awaitLeader(shard).group(shard).Next
			w.change(shard, Change{Add: h.Node()})
			learners = append(learners, next)
		}
	}
	w.await("the learners", func() bool {
		for _, m := range w.awaitLeader(shard).group(shard).Members {
			if m.Match < w.awaitLeader(shard).group(shard).Commit {
				return false
			}
		}
		return true
	})
	w.change(shard, Change{Promote: learners})
}

// commit commits through the leader, and waits for the answer.
func (w *town) commit(shard uint32, name string, base uint64) error {
	w.t.Helper()
	leader := w.awaitLeader(shard)
	var outcome *error
	leader.Propose(shard, leader.leads[shard].Term, step{name, base, fmt.Sprint(base + 1)},
		func(_ uint64, err error) {
			outcome = &err
		})
	leader.drive()
	w.settle()
	w.await("an answer", func() bool { return outcome != nil })
	return *outcome
}

func (w *town) mustCommit(shard uint32, name string, base uint64) {
	w.t.Helper()
	if err := w.commit(shard, name, base); err != nil {
		w.t.Fatal(err)
	}
}

// content is all that a house holds of a shard's state.
func (h *house) content(shard uint32) string {
	var out []byte
	h.scan(record.State(shard), func(key, value []byte) { out = fmt.Appendf(out, "%x=%x\n", key, value) })
	return string(out)
}

func (w *town) checkEqual(shard uint32) {
	w.t.Helper()
	w.await("equal replicas", func() bool {
		want := w.awaitLeader(shard)
		for _, h := range w.houses {
			if g := h.group(shard); !h.down && g != nil && g.Applied != want.group(shard).Applied {
				return false
			}
		}
		return true
	})
	want := w.awaitLeader(shard).content(shard)
	for i, h := range w.houses {
		if !h.down && h.group(shard) != nil && h.content(shard) != want {
			w.t.Errorf("house %d differs", i)
		}
	}
}
