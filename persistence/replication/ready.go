package replication

import (
	"errors"
	"runtime"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"

	"github.com/wactor/wactor/internal/planted"
)

// work is one group's share of a round.
type work struct {
	*group
	ready raft.Ready
	// early: its messages leave before the batch is synced.
	early bool
}

// perform takes one Ready of every active group. Entries and hard states of all go into one batch,
// which is synced where any must be; then, in a batch that is not synced since it can be made again
// from the log, what is committed. Where nothing must be synced, the two are one batch.
func (l *lane) perform() (err error) {
	defer recovered(&err)
	batch := l.host.db.NewBatch()
	defer func() { err = errors.Join(err, batch.Close()) }()
	round, sync, err := l.collect(batch)
	if err != nil {
		return err
	}
	l.sendEarly(round)
	if sync {
		written := l.host.unsynced.hold(round)
		if err := l.host.write(batch, true); err != nil {
			return err
		}
		written()
		batch.Reset()
	}
	l.send(round) // votes and acknowledgements vouch for what is on the disk now
	for _, w := range round {
		w.log.applying = true
		if err := w.applyCommitted(batch, w.ready.CommittedEntries); err != nil {
			return err
		}
	}
	if err := l.host.write(batch, false); err != nil {
		return err
	}
	for _, w := range round {
		w.log.applying = false
		w.machine.Applied()
		w.node.Advance(w.ready)
		w.observe(w.ready)
		w.proposals.deliver()
		if w.node.HasReady() {
			l.activate(w.group)
		}
	}
	return l.destroyRemoved(round)
}

// recovered makes an error of what the consensus core panics with: it has no other way to pass on
// that a read of the log failed. The group can't be used any more.
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

// collect puts hard states and entries of the active groups into a batch, and reports whether it
// must be synced. A snapshot is installed at once.
func (l *lane) collect(batch *pebble.Batch) (round []work, sync bool, err error) {
	for _, g := range l.active {
		g.queued = false
		if g.gone || !g.node.HasReady() {
			continue
		}
		term := g.log.hard.GetTerm()
		ready := g.node.Ready()
		hard := ready.HardState
		if !raft.IsEmptySnap(ready.Snapshot) {
			if err := g.install(hard, ready.Snapshot); err != nil {
				return nil, false, err
			}
			g.endStaged(nil)
			hard = nil
		}
		g.endStaged(errNotTaken)
		if g.goesDirect(ready) {
			err = g.applyDirect(batch, hard, ready.Entries)
		} else {
			err = g.log.append(batch, hard, ready.Entries)
		}
		if err != nil {
			return nil, false, err
		}
		l.host.metrics.entries.Add(float64(len(ready.Entries)))
		sync = sync || ready.MustSync
		g.renew(&l.host.leases[g.shard])
		// A leader may send its entries before they are on its own disk, which counts as one of the
		// majority only later. But not in the round in which its term began: after a crash it would
		// begin the same term again, with other entries.
		early := g.leads() && ready.MustSync && g.log.hard.GetTerm() == term
		early = early || planted.Is(planted.VotesBeforeSync)
		round = append(round, work{group: g, ready: ready, early: early})
	}
	l.active = l.active[:0]
	return round, sync, nil
}

// applyCommitted applies entries and drops the log behind them once it is long.
func (g *group) applyCommitted(batch *pebble.Batch, entries []*raftpb.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	if end := positionOf(entries[len(entries)-1]); end.index <= g.log.applied.index {
		g.wasApplied(end)
		return nil
	}
	if err := g.apply(batch, entries); err != nil {
		return err
	}
	return g.maybeTruncate(batch)
}

// maybeTruncate drops the older half of a long log. Only that, so that the log reaches back
// whenever a replica was away for a moment. The deletion lies in a batch behind the one that wrote
// what the entries made. Whatever a power cut leaves of the engine is a prefix of its batches:
// where the deletion is found, the applied state that it relies on is found too, and a cut that
// loses the state leaves the entries. So no flush need be tracked; DESIGN.md has the proof.
func (g *group) maybeTruncate(batch *pebble.Batch) error {
	half := g.cut.most / 2
	if g.cut.bytes < half || g.cut.bytes < half*heldLog && g.isNeeded(g.cut.half) {
		return nil
	}
	upTo := g.cut.half
	g.cut.bytes, g.cut.half = 0, g.log.applied
	if upTo.index <= g.log.truncated.index {
		return nil
	}
	return g.log.truncate(batch, upTo)
}

// truncation is how far a log has grown since it was last truncated.
type truncation struct {
	// bytes of entries that were applied since the log was truncated, or its second half began
	// (half, the entry before it); a half of most later it is again.
	bytes, most int
	half        position
}

// heldLog is how many times longer a log gets for a replica that is there and behind. Else one of a
// busy shard would find, when it has a snapshot, that the log begins behind it, and need another
// one for ever.
const heldLog = 32

// isNeeded reports whether a replica that is there still needs entries up to a position, as far as
// the leader knows.
func (g *group) isNeeded(upTo position) bool {
	needed := false
	if g.leads() {
		g.node.WithProgress(func(id uint64, _ raft.ProgressType, p tracker.Progress) {
			// One that gets a snapshot goes on behind that.
			needed = needed || id != g.replica && g.isRecent(id) && max(p.Match, p.PendingSnapshot) < upTo.index
		})
	}
	return needed
}
