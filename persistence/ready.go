package persistence

import (
	"errors"
	"runtime"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// work is one group's share of a round.
type work struct {
	*group
	ready raft.Ready
}

// perform takes one Ready of every active group. Entries and hard states of all go into one batch, which is synced where any must
// be; then, in a batch that is not synced since it can be made again from the log, what is committed. Where nothing must be
// synced, the two are one batch.
func (l *lane) perform() (err error) {
	defer recovered(&err)
	batch := l.store.db.NewBatch()
	defer func() { err = errors.Join(err, batch.Close()) }()
	round, sync, err := l.collect(batch)
	if err != nil {
		return err
	}
	if sync {
		if err := l.store.write(batch, true); err != nil {
			return err
		}
		batch.Reset()
	}
	// Messages to other replicas leave here, after the fsync that they vouch for. A group whose only voter is this node has none.
	for _, w := range round {
		if err := w.applyCommitted(batch, w.ready.CommittedEntries); err != nil {
			return err
		}
	}
	if err := l.store.write(batch, false); err != nil {
		return err
	}
	for _, w := range round {
		w.revisions.rotate()
		w.node.Advance(w.ready)
		w.observe(w.ready, l.store.lead)
		w.deliver()
		if w.node.HasReady() {
			l.activate(w.group)
		}
	}
	return nil
}

// recovered makes an error of what the consensus core panics with: it has no other way to pass on that a read of the log
// failed. The group can't be used any more.
func recovered(err *error) {
	switch r := recover().(type) {
	case nil:
	case runtime.Error:
		panic(r)
	case error:
		*err = r
	default:
		panic(r)
	}
}

// collect puts hard states and entries of the active groups into a batch, and reports whether it must be synced.
func (l *lane) collect(batch *pebble.Batch) (round []work, sync bool, err error) {
	for _, g := range l.active {
		g.queued = false
		if !g.node.HasReady() {
			continue
		}
		ready := g.node.Ready()
		if err := g.log.append(batch, ready.HardState, ready.Entries); err != nil {
			return nil, false, err
		}
		l.store.metrics.entries.Add(float64(len(ready.Entries)))
		sync = sync || ready.MustSync
		round = append(round, work{g, ready})
	}
	l.active = l.active[:0]
	return round, sync, nil
}

// applyCommitted applies entries and drops the log behind them once it is long.
func (g *group) applyCommitted(batch *pebble.Batch, entries []*raftpb.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	if err := g.apply(batch, entries); err != nil {
		return err
	}
	return g.maybeTruncate(batch)
}

// maybeTruncate drops the log behind what is applied. The deletion lies in the batch that writes the applied state, or in one
// after it. Whatever a power cut leaves of the engine is a prefix of its batches: where the deletion is found, the applied
// state that it relies on is found too, and a cut that loses the state leaves the entries. So no flush need be tracked;
// DESIGN.md has the proof.
func (g *group) maybeTruncate(batch *pebble.Batch) error {
	if g.untruncated < g.maxUntruncated {
		return nil
	}
	g.untruncated = 0
	return g.log.truncate(batch, g.log.applied)
}
