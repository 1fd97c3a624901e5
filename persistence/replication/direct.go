package replication

import (
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// A log is there for other replicas. One that is alone, as all are on a single node, needs none:
// what it appends is committed as soon as it is on the disk. So it writes what entries do in place
// of the entries, in the very batch that is synced. The consensus core sees an entry that was
// appended, committed and applied, as ever; its indexes go on in memory, and the disk learns of
// them when the log is needed again, or with a new term (groupLog.append). A start begins with
// those that the disk knows: no other node has ever seen the ones since.

// goesDirect reports whether the entries of a Ready may be applied at once, instead of being
// written to the log.
func (g *group) goesDirect(ready raft.Ready) bool {
	return !g.host.options.KeepLog && len(ready.Entries) > 0 && g.log.alone() && g.leads() &&
		!g.log.writesHard(ready.HardState) &&
		// All before them is applied; where it was logged, the consensus core knows of that,
		// too.
		g.log.applied == g.log.last && ready.Entries[0].GetIndex() == g.log.last.index+1 && (g.log.direct ||
		len(ready.CommittedEntries) == 0) &&
		!slices.ContainsFunc(ready.Entries, changesReplicas)
}

// applyDirect applies entries into the batch that makes them durable.
func (g *group) applyDirect(batch *pebble.Batch, hard *raftpb.HardState, entries []*raftpb.Entry) error {
	if !g.log.direct {
		if g.log.last.index > g.log.truncated.index {
			if err := g.log.truncate(batch, g.log.last); err != nil {
				return err
			}
		}
		g.log.direct = true
	}
	g.log.keepHard(hard)
	g.log.extend(entries, unbounded)
	return g.apply(batch, entries)
}

// unbounded is the size of the cache of entries that are nowhere else. They are forgotten as soon
// as the consensus core has seen them applied, before the lane takes in anything new.
const unbounded = int(^uint(0) >> 1)

// wasApplied tells that the consensus core has seen entries which were applied directly: they
// are not asked for any more.
func (g *group) wasApplied(end position) {
	if g.log.direct {
		g.log.truncated = end
		g.log.cache.drop(end.index)
		g.cut.bytes, g.cut.half = 0, end
	}
}
