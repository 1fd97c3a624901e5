package sim

import (
	"errors"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/replication"
)

// send is Options.Send: messages of replicas to each other.
func (p *process) send(messages []replication.Message) {
	for _, m := range messages {
		to := p.w.nodeOf[m.Node]
		if p.dead.Load() || to == nil {
			continue
		}
		p.w.record.note("shard %d: message %d from node %d to node %d, term %d, index %d, commit %d",
			uint64(m.Shard), uint64(m.GetType()), uint64(p.index), uint64(to.index), m.GetTerm(), m.GetIndex(),
			m.GetCommit())
		m.Node = p.id
		arrives := p.w.network.send(p.node, to, func(q *process) { q.receive(m) })
		if !arrives && p.w.chance(0.2) {
			p.in(p.w.between(0, 5*time.Millisecond), func() { // a connection that broke is noticed
				p.store.Unreachable(to.id)
				p.poke()
			})
		}
	}
}

func (p *process) receive(m replication.Message) {
	m.Message = proto.CloneOf(m.Message) // it may come twice, and the sender has it still
	_ = p.store.Receive(m)               // what it refuses is lost
	p.poke()
}

// transfer is a snapshot on its way.
type transfer struct {
	from     *process
	message  replication.Message
	snapshot *replication.Snapshot
	over     bool
}

var errLost = errors.New("sim: the snapshot was lost")

// sendSnapshot is Options.SendSnapshot. The sender reads it a while later, in one go; the receiver
// takes it in two.
func (p *process) sendSnapshot(m replication.Message, snapshot *replication.Snapshot) {
	t := &transfer{from: p, message: m, snapshot: snapshot}
	p.transfers = append(p.transfers, t)
	if p.dead.Load() {
		return
	}
	w := p.w
	w.Stats.Snapshots++
	w.record.note("shard %d: a snapshot from node %d", uint64(m.Shard), uint64(p.index))
	p.in(w.between(time.Millisecond, 60*time.Millisecond), t.read)
	p.in(2*time.Second, func() { t.sent(errLost) })
}

func (t *transfer) read() {
	if t.over {
		return
	}
	p, w := t.from, t.from.w
	var records [][2][]byte
	err := t.snapshot.Each(func(key, value []byte) error {
		records = append(records, [2][]byte{slices.Clone(key), slices.Clone(value)})
		return nil
	})
	if err != nil {
		w.fail("node %d can't read a snapshot: %v", p.index, err)
		return
	}
	to := w.nodeOf[t.message.Node]
	answer := func(q *process, err error) {
		w.network.send(q.node, p.node, func(now *process) {
			if now == p {
				t.sent(err)
			}
		})
	}
	if to == nil || !w.network.send(p.node, to, func(q *process) { q.stage(t.message, p.id, records, answer) }) {
		t.sent(errLost)
	}
}

// sent tells the store what became of the snapshot.
func (t *transfer) sent(err error) {
	if t.over {
		return
	}
	t.over = true
	t.snapshot.Close()
	t.from.store.SnapshotSent(t.message, err)
	t.from.poke()
}

// stage receives a snapshot, in two parts with time in between.
func (p *process) stage(m replication.Message, from uint64, records [][2][]byte, answer func(*process, error)) {
	m.Node, m.Message = from, proto.CloneOf(m.Message)
	staged, err := p.store.Stage(m.Shard)
	add := func(records [][2][]byte) {
		for _, r := range records {
			if err == nil {
				err = staged.Add(r[0], r[1])
			}
		}
	}
	half := p.w.rng.IntN(len(records) + 1)
	p.guarded(func() { add(records[:half]) })
	if !p.settle() {
		return
	}
	p.in(p.w.between(0, 20*time.Millisecond), func() {
		p.guarded(func() {
			add(records[half:])
			if err == nil {
				staged.Commit(m, func(err error) {
					if !p.dead.Load() {
						answer(p, err)
					}
				})
			}
		})
		if !p.settle() {
			return
		}
		if err != nil {
			p.w.fail("node %d can't stage a snapshot: %v", p.index, err)
		}
		p.poke()
	})
}
