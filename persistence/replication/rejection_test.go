package replication

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

func mustMarshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func entryOf(index, term uint64, kind raftpb.EntryType, data []byte) *raftpb.Entry {
	return &raftpb.Entry{Index: new(index), Term: new(term), Type: kind.Enum(), Data: data}
}

// snapshotOf is a snapshot with voters and members.
func snapshotOf(t testing.TB, index, term uint64, conf *raftpb.ConfState, members ...uint64) *raftpb.Snapshot {
	m := &clusterv1.Members{Next: 9}
	for _, id := range members {
		m.Replicas = append(m.Replicas, &clusterv1.Replica{Id: id, Node: 100 + id})
	}
	return &raftpb.Snapshot{Data: mustMarshal(t, m), Metadata: &raftpb.SnapshotMetadata{Index: new(index),
		Term: new(term), ConfState: conf}}
}

// TestWrongMessagesAreRefused: none of what a broken peer says ends the node, disturbs the group,
// or stays unseen.
func TestWrongMessagesAreRefused(t *testing.T) {
	const normal, change = raftpb.EntryNormal, raftpb.EntryConfChangeV2
	conf := &raftpb.ConfState{Voters: []uint64{1, 2, 3}}
	for name, c := range map[string]struct {
		reason string
		m      *raftpb.Message
		// toLeader: it is for the leader, otherwise for a follower.
		toLeader bool
	}{
		"commit past the log": {"commit", &raftpb.Message{Type: raftpb.MsgHeartbeat.Enum(),
			Commit: new(uint64(1000))}, false},
		"proposal": {"type", &raftpb.Message{Type: raftpb.MsgProp.Enum(), Entries: []*raftpb.Entry{{}}},
			true},
		"storage": {"type", &raftpb.Message{Type: raftpb.MsgStorageApplyResp.Enum(),
			Entries: []*raftpb.Entry{entryOf(1000, 1, normal, nil)}}, false},
		"unknown type": {"type", &raftpb.Message{Type: raftpb.MessageType(99).Enum()}, false},
		"to itself": {"address", &raftpb.Message{Type: raftpb.MsgHeartbeat.Enum(), From: new(uint64(0))},
			false},
		"snapshot without one": {"address", &raftpb.Message{Type: raftpb.MsgSnap.Enum(), Snapshot: snapshotOf(t,
			1000, 1, conf, 1, 2, 3)}, false},
		"last term of all": {"number", &raftpb.Message{Type: raftpb.MsgVote.Enum(),
			Term: new(uint64(math.MaxUint64))}, false},
		"vote with entries": {"entries", &raftpb.Message{Type: raftpb.MsgVote.Enum(),
			Entries: []*raftpb.Entry{{}}}, false},
		"entries with a gap": {"entries", &raftpb.Message{Type: raftpb.MsgApp.Enum(), Index: new(uint64(5)),
			LogTerm: new(uint64(1)), Entries: []*raftpb.Entry{entryOf(7, 1, normal, nil)}}, false},
		"entries of falling term": {"entries", &raftpb.Message{Type: raftpb.MsgApp.Enum(), Index: new(uint64(5)),
			LogTerm: new(uint64(2)), Entries: []*raftpb.Entry{entryOf(6, 1, normal, nil)}}, false},
		"entries of a later term": {"entries", &raftpb.Message{Type: raftpb.MsgApp.Enum(), Index: new(uint64(5)),
			LogTerm: new(uint64(1)), Entries: []*raftpb.Entry{entryOf(6, 1<<40, normal, nil)}}, false},
		"entries from nowhere": {"entries", &raftpb.Message{Type: raftpb.MsgApp.Enum(),
			Entries: []*raftpb.Entry{entryOf(1, 1, normal, nil)}}, false},
		"entry of another type": {"entries", &raftpb.Message{Type: raftpb.MsgApp.Enum(), Index: new(uint64(5)),
			LogTerm: new(uint64(1)), Entries: []*raftpb.Entry{entryOf(6, 1, 7, nil)}}, false},
		"unreadable change": {"entries", &raftpb.Message{Type: raftpb.MsgApp.Enum(), Index: new(uint64(5)),
			LogTerm: new(uint64(1)), Entries: []*raftpb.Entry{entryOf(6, 1, change, []byte{0xff})}}, false},
		"a term that no election gets to": {"term", &raftpb.Message{Type: raftpb.MsgAppResp.Enum(),
			Term: new(uint64(most - 1))}, true},
		"the same for a follower": {"term", &raftpb.Message{Type: raftpb.MsgHeartbeat.Enum(),
			Term: new(uint64(maxTermJump + 100))}, false},
		"acknowledges too much": {"acknowledgement", &raftpb.Message{Type: raftpb.MsgAppResp.Enum(),
			Index: new(uint64(1000))}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, 3, 1)
			w.spread(1)
			leader := w.awaitLeader(1)
			w.run(20)
			to, from := leader, w.houses[0]
			if from == to {
				from = w.houses[1]
			}
			if !c.toLeader {
				to, from = from, leader
			}
			m := proto.CloneOf(c.m)
			if m.Term == nil {
				m.Term = new(leader.leads[1].Term)
			}
			m.To = new(to.group(1).Replica)
			if m.From == nil {
				m.From = new(from.group(1).Replica)
			} else {
				m.From = m.To
			}
			if err := to.Receive(Message{Shard: 1, Node: from.Node(), Message: m}); err != nil {
				wantErr(t, err, ErrMalformed)
			}
			to.drive()
			if n := to.refusedFor(t, c.reason); n != 1 {
				t.Errorf("%v messages are counted as %q", n, c.reason)
			}
			if w.settle(); w.leader(1) != leader {
				t.Error("leadership has moved")
			}
			w.mustCommit(1, "shop/1", 0)
			w.checkEqual(1)
		})
	}
}

// refusedFor is how many messages were refused for a reason.
func (h *house) refusedFor(t *testing.T, reason string) float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(h.metrics.messages)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.Metric {
			if m.GetLabel()[0].GetValue() == reason {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// TestOddSnapshotsAreRefused: the consensus core would panic at voters that can't be, and the store
// at members that it can't read.
func TestOddSnapshotsAreRefused(t *testing.T) {
	for name, s := range map[string]*raftpb.Snapshot{
		"none":            nil,
		"of no entry":     snapshotOf(t, 0, 1, &raftpb.ConfState{Voters: []uint64{1}}, 1),
		"of a later term": snapshotOf(t, 1000, 1<<40, &raftpb.ConfState{Voters: []uint64{1}}, 1),
		"without voters":  snapshotOf(t, 1000, 1, &raftpb.ConfState{}),
		"only learners":   snapshotOf(t, 1000, 1, &raftpb.ConfState{Learners: []uint64{1}}, 1),
		"a voter twice":   snapshotOf(t, 1000, 1, &raftpb.ConfState{Voters: []uint64{1, 1}}, 1),
		"a voter that learns": snapshotOf(t, 1000, 1, &raftpb.ConfState{Voters: []uint64{1, 2},
			Learners: []uint64{2}}, 1, 2),
		"leaving without joint": snapshotOf(t, 1000, 1, &raftpb.ConfState{Voters: []uint64{1}, AutoLeave: new(true)},
			1),
		"other members":         snapshotOf(t, 1000, 1, &raftpb.ConfState{Voters: []uint64{1, 2}}, 1, 3),
		"a member twice":        snapshotOf(t, 1000, 1, &raftpb.ConfState{Voters: []uint64{1, 2}}, 1, 1),
		"an id yet to be given": snapshotOf(t, 1000, 1, &raftpb.ConfState{Voters: []uint64{1, 9}}, 1, 9),
		"unreadable members": {Data: []byte{0xff}, Metadata: &raftpb.SnapshotMetadata{
			Index: new(uint64(1000)), Term: new(uint64(1)), ConfState: &raftpb.ConfState{Voters: []uint64{1}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, 1, 1)
			h := w.houses[0]
			staged, err := h.Stage(1)
			if err != nil {
				t.Fatal(err)
			}
			outcome := errors.New("nothing")
			m := &raftpb.Message{Type: raftpb.MsgSnap.Enum(), From: new(uint64(2)), To: new(uint64(1)),
				Term: new(uint64(99)), Snapshot: s}
			staged.Commit(Message{Shard: 1, Node: 5, Message: m}, func(err error) { outcome = err })
			h.drive()
			wantErr(t, outcome, ErrMalformed)
			w.mustCommit(1, "shop/1", 0)
		})
	}
}

// TestAnswersToHeartbeatsThatWereNotSent: the consensus core would read their context for a number,
// and a lease would be counted from it.
func TestAnswersToHeartbeatsThatWereNotSent(t *testing.T) {
	w := newTown(t, 3, 1)
	w.spread(1)
	leader := w.awaitLeader(1)
	term := leader.leads[1].Term
	for _, stamp := range [][]byte{{1}, make([]byte, 9), slices.Repeat([]byte{0xff}, 9), encodeStamp(nil, w.now+1<<40),
		encodeStamp(nil, math.MaxInt64)} {
		for _, from := range w.houses {
			if from == leader {
				continue
			}
			m := &raftpb.Message{
				Type: raftpb.MsgHeartbeatResp.Enum(), Term: new(term), To: new(leader.group(1).Replica),
				From: new(from.group(1).Replica), Context: stamp,
			}
			if err := leader.Receive(Message{Shard: 1, Node: from.Node(), Message: m}); err != nil {
				t.Fatal(err)
			}
			leader.drive()
		}
		leader.Tick() // with the heartbeats that it sends, the lease is counted anew
		leader.drive()
		before := w.now
		if w.now += electionTicks * TickInterval; leader.Leased(1, term) {
			t.Errorf("a lease was made of the stamp %x", stamp)
		}
		w.now = before
	}
}

// dice reads a fuzz input as choices.
type dice []byte

func (d *dice) roll(n int) int {
	if len(*d) == 0 {
		return 0
	}
	b := (*d)[0]
	*d = (*d)[1:]
	return int(b) % n
}

func (d *dice) number() *uint64 {
	return new([...]uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 20, most - 1, most, math.MaxInt64, math.MaxUint64 - 1,
		math.MaxUint64}[d.roll(15)])
}

func (d *dice) ids() (ids []uint64) {
	for range d.roll(4) {
		ids = append(ids, 1+uint64(d.roll(4)))
	}
	return ids
}

func (d *dice) message(t testing.TB) *raftpb.Message {
	m := &raftpb.Message{
		Type: raftpb.MessageType(d.roll(24)).Enum(), To: new(uint64(1)), From: new(uint64(2 + d.roll(2))),
		Term:  new(uint64(2 + d.roll(5))),
		Index: d.number(), LogTerm: d.number(), Commit: d.number(), RejectHint: d.number(), Reject: new(d.roll(2) == 1),
		Context: make([]byte, [...]int{0, 8, 1, 9, 16}[d.roll(5)]),
	}
	switch d.roll(6) {
	case 0:
		m.From, m.Term = d.number(), d.number()
	case 1:
		m.Context = encodeStamp(slices.Clone(campaignTransfer), 1)
	}
	switch m.GetType() {
	case raftpb.MsgApp:
		for i := range uint64(d.roll(4)) {
			entry := entryOf(m.GetIndex()+i+1, uint64(1+d.roll(6)), 0, nil)
			switch d.roll(8) {
			case 0:
				entry.Data = step{"shop/1", uint64(d.roll(3)), ""}.encode()
			case 1:
				entry.Type, entry.Data = raftpb.EntryType(d.roll(4)).Enum(), []byte{byte(d.roll(256))}
			}
			m.Entries = append(m.Entries, entry)
		}
	case raftpb.MsgSnap:
		conf := &raftpb.ConfState{Voters: d.ids(), Learners: d.ids(), VotersOutgoing: d.ids(), LearnersNext: d.ids(),
			AutoLeave: new(d.roll(2) == 1)}
		if d.roll(2) == 1 {
			conf = &raftpb.ConfState{Voters: []uint64{1, 2, 3}}
		}
		m.Snapshot = snapshotOf(t, *d.number(), *d.number(), conf, 1, 2, 3)
	}
	return m
}

// What a replica is that FuzzStep speaks to.
const (
	newcomer = iota // it has nothing yet
	follower
	leader
	roles
)

// FuzzStep: whatever other replicas say, to one that leads, follows or has nothing yet, never ends
// the node, now or when it is started again. But for what a leader's entries say: not checked.
func FuzzStep(f *testing.F) {
	for role := range byte(roles) {
		for kind := range byte(24) {
			f.Add(role, []byte{kind, 0, 1, 2, 2, 2, 2, 0, 0, 2, 1, 1})
			f.Add(role, []byte{kind, 0, 1, 4, 3, 10, 14, 1, 1, 2, 2, 0, 1, 0})
		}
	}
	f.Fuzz(func(t *testing.T, role byte, input []byte) { fuzzStep(t, fuzzHost(t), role, input) })
}

func fuzzStep(t *testing.T, s *Host, role byte, input []byte) {
	role %= roles
	member := role != newcomer
	batch := s.db.NewBatch()
	defer batch.Close()
	at, conf, members := position{}, &raftpb.ConfState{}, &clusterv1.Members{}
	hard := &raftpb.HardState{Term: new(uint64(0)), Vote: new(uint64(0)), Commit: new(uint64(0))}
	if member {
		at, conf = position{1, 1}, &raftpb.ConfState{Voters: []uint64{1, 2, 3}}
		hard = &raftpb.HardState{Term: new(uint64(3)), Vote: new(uint64(0)), Commit: new(uint64(2))}
		for id := range uint64(3) {
			members.Replicas = append(members.Replicas, &clusterv1.Replica{Id: id + 1, Node: id + 1})
		}
	}
	err := errors.Join(
		setLocal(batch, 1, hard, conf, at, at),
		setProto(batch, record.Key(1, record.ClassMembers), members), batch.Set(record.Key(1, record.ClassReplica),
			record.Number(1), nil),
	)
	for index := uint64(2); member && index < 6; index++ {
		err = errors.Join(err, setProto(batch, record.LogKey(1, index), entryOf(index, 1+index/2, 0, nil)))
	}
	if err := errors.Join(err, batch.Commit(pebble.NoSync)); err != nil {
		t.Fatal(err)
	}
	l := newLane(s)
	s.lanes = []*lane{l}
	if err := s.openGroups(); err != nil {
		t.Fatal(err)
	}
	g := l.groups[1]
	g.ticks = electionTicks
	if role == leader {
		if err := g.node.Campaign(); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []raftpb.MessageType{raftpb.MsgPreVoteResp, raftpb.MsgVoteResp} {
			yes := &raftpb.Message{Type: kind.Enum(), From: new(uint64(2)), To: new(uint64(1)), Term: new(uint64(4))}
			l.activate(g)
			if err := errors.Join(l.cycle(inputs{}), l.cycle(inputs{messages: []Message{{Shard: 1, Node: 2,
				Message: yes}}})); err != nil {
				t.Fatal(err)
			}
		}
		if !g.leads() {
			t.Fatal("it was elected, and is not leader")
		}
	}
	unchecked := false
	for d := dice(input); len(d) > 0; {
		m := Message{Shard: 1, Node: 2, Message: d.message(t)}
		for _, entry := range m.Entries {
			unchecked = unchecked || len(entry.Data) > 0
		}
		if m.GetType() == raftpb.MsgSnap {
			staged, err := s.Stage(1)
			if err != nil {
				t.Fatal(err)
			}
			staged.Commit(m, func(error) {})
		} else {
			_ = s.Receive(m)
		}
		if d.roll(2) == 0 {
			continue // two at once
		}
		in, _ := l.take()
		in.tick = d.roll(4) == 0
		if err := l.cycle(in); err != nil {
			if unchecked && errors.Is(err, engine.ErrCorrupt) {
				return
			}
			t.Fatal(err)
		}
	}
	s.lanes[0] = newLane(s)
	if err := s.openGroups(); err != nil {
		t.Fatalf("it does not start again: %v", err)
	}
}
