package persistence

import (
	"runtime"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3"
)

// work is one group's share of a round.
type work struct {
	*group
	ready raft.Ready
}

// perform takes one Ready of every active group: entries and hard states of all in one batch, synced where any must be; then
// what is committed, in another batch that is not synced, since it can be made again from the log.
func (l *lane) perform() (err error) {
	defer recovered(&err)
	all, err := l.writeLog()
	if err != nil {
		return err
	}
	// Messages to other replicas leave here, after the fsync that they vouch for. A group whose only voter is this node has none.
	if err := l.applyAll(all); err != nil {
		return err
	}
	for _, w := range all {
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

// writeLog writes hard states and entries of the active groups. When it returns, they are on the disk.
func (l *lane) writeLog() ([]work, error) {
	batch := l.store.db.NewBatch()
	defer batch.Close()
	var all []work
	sync := false
	for _, g := range l.active {
		g.queued = false
		if !g.node.HasReady() {
			continue
		}
		ready := g.node.Ready()
		if err := g.log.append(batch, ready.HardState, ready.Entries); err != nil {
			return nil, err
		}
		l.store.metrics.entries.Add(float64(len(ready.Entries)))
		sync = sync || ready.MustSync
		all = append(all, work{g, ready})
	}
	l.active = l.active[:0]
	return all, l.store.write(batch, sync)
}

func (l *lane) applyAll(all []work) error {
	batch := l.store.db.NewBatch()
	defer batch.Close()
	for _, w := range all {
		if len(w.ready.CommittedEntries) == 0 {
			continue
		}
		if err := w.apply(batch, w.ready.CommittedEntries); err != nil {
			return err
		}
		if err := w.maybeTruncate(batch); err != nil {
			return err
		}
	}
	return l.store.write(batch, false)
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
