package replication

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"go.etcd.io/raft/v3/raftpb"

	"github.com/wactor/wactor/internal/planted"
	"github.com/wactor/wactor/persistence/record"
)

// Command is what an entry of the log holds.
type Command struct {
	// Data is its stored form.
	Data []byte
	// Value is what Data was made of; nil where the entry comes from another node or from the disk.
	Value any
}

// StateMachine is what the entries of one shard act on. The shard's lane alone calls it.
type StateMachine interface {
	// Apply puts what a command does into a batch. The outcome of a command must be the same on
	// every replica: a result, or a *Rejection, which changes nothing. It may depend on the state
	// of all commands before, those in the batch included, and on nothing else. Any other error
	// ends the process. The result goes to the command's proposal.
	Apply(batch *pebble.Batch, index uint64, command Command) (result uint64, err error)
	// Applied is called when all that was applied so far is in the engine.
	Applied()
	// Snapshot is a view of the state, as of what is in the engine. The caller closes it.
	Snapshot() (*pebble.Iterator, error)
	// Ingest is called when the state was replaced by that of another replica, as a whole.
	Ingest()
}

// Rejection is an outcome of a command that the state machine does not take. It is the same on
// every replica.
type Rejection struct {
	// Label is the result of such proposals in the metrics.
	Label string
	text  string
}

// NewRejection makes a Rejection, which errors.Is finds by identity.
func NewRejection(label, text string) *Rejection { return &Rejection{label, text} }

// Error implements error.
func (r *Rejection) Error() string { return r.text }

// apply applies committed entries into a batch, with the applied index unless they are applied
// directly. The answers leave when the batch is in the store.
func (g *group) apply(batch *pebble.Batch, entries []*raftpb.Entry) error {
	for _, entry := range entries {
		if err := g.applyEntry(batch, entry); err != nil {
			return fmt.Errorf("persistence: apply entry %d of shard %d: %w", entry.GetIndex(), g.shard, err)
		}
	}
	if g.log.direct {
		return nil
	}
	if planted.Is(planted.AppliedApart) {
		return g.host.db.Set(record.Key(g.shard, record.ClassApplied), g.log.applied.encode(), pebble.NoSync)
	}
	return batch.Set(record.Key(g.shard, record.ClassApplied), g.log.applied.encode(), nil)
}

func (g *group) applyEntry(batch *pebble.Batch, entry *raftpb.Entry) error {
	g.log.applied = positionOf(entry)
	g.cut.bytes += weight(entry)
	if entry.GetType() != raftpb.EntryNormal {
		return g.log.applyChange(batch, g.node, entry)
	}
	if len(entry.Data) == 0 {
		return nil // a new leader's first
	}
	own, command := g.proposals.next(entry.GetTerm()), Command{Data: entry.Data}
	if own != nil {
		command.Value = own.command.Value // which the entry's data was made of
	}
	result, err := g.machine.Apply(batch, entry.GetIndex(), command)
	if err != nil && !isRejection(err) {
		if own != nil {
			g.proposals.pending = append([]*proposal{own}, g.proposals.pending...) // answered when the lane ends
		}
		return err
	}
	if own != nil {
		g.proposals.answers = append(g.proposals.answers, answer{own, result, err})
	}
	return nil
}

// isRejection reports whether an error is the outcome of a command, the same on every replica.
func isRejection(err error) bool {
	var r *Rejection
	return errors.As(err, &r)
}
