package store

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
	"github.com/wactor/wactor/persistence/replication"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// The cluster's state is one record of the meta group, shard 0. Versions before formatCluster keep
// it as the head of a conversation; it moves with the first write of that format.
const (
	metaShard  = 0
	oldCluster = "cluster"
	// clusterRevision is where a machine remembers the revision: no conversation has that name.
	clusterRevision = ""
)

// ReadCluster returns the cluster's state as this node's replica of the meta group knows it, and
// how often it was written; nil and 0 where it never was.
func (s *Store) ReadCluster() (state []byte, revision uint64, err error) {
	err = s.Read(metaShard, func() error {
		var at record.Standing
		at, state, err = readCluster(s.db)
		revision = at.Revision
		return err
	})
	return state, revision, err
}

// ProposeCluster proposes to replace the cluster's state of a revision, as Propose does: done
// receives the revision afterwards, or ErrStale where the state has another one.
func (s *Store) ProposeCluster(term, base uint64, state []byte, done func(revision uint64, err error)) {
	command := clusterCommand(base, state)
	if s.mayWrite(command) != nil {
		command = &wactorv1.Command{Command: &wactorv1.Command_Commit{Commit: &wactorv1.Commit{
			Conversation: oldCluster, BaseRevision: base,
			Puts: []*wactorv1.Put{{Kind: wactorv1.RecordKind_RECORD_KIND_HEAD, Value: state}},
		}}}
	}
	s.Propose(metaShard, term, command, done)
}

func clusterCommand(base uint64, state []byte) *wactorv1.Command {
	return &wactorv1.Command{Format: formatCluster, Command: &wactorv1.Command_PutCluster{
		PutCluster: &wactorv1.PutCluster{BaseRevision: base, State: state},
	}}
}

// readCluster reads the cluster's state from its place, or from where older versions put it.
func readCluster(db *engine.Engine) (record.Standing, []byte, error) {
	for _, key := range [][]byte{record.Key(metaShard, record.ClassCluster), record.Head(metaShard, oldCluster)} {
		value, closer, err := db.Get(key)
		switch {
		case errors.Is(err, pebble.ErrNotFound):
			continue
		case err != nil:
			return record.Standing{}, nil, engine.Error(err)
		}
		at, state, err := record.SplitHead(value)
		state = bytes.Clone(state)
		if err != nil {
			err = fmt.Errorf("%w: the cluster's state: %w", engine.ErrCorrupt, err)
		}
		return at, state, errors.Join(err, closer.Close())
	}
	return record.Standing{}, nil, nil
}

// putCluster applies a write of the cluster's state. The old place is cleared: a leader that still
// wrote there would find no revision to replace.
func (m *machine) putCluster(batch *pebble.Batch, put *wactorv1.PutCluster) (uint64, error) {
	if m.shard != metaShard {
		return 0, replication.ErrMalformed
	}
	at, err := m.clusterRevision()
	switch {
	case err != nil:
		return 0, err
	case at.Revision != put.GetBaseRevision():
		return at.Revision, ErrStale
	}
	at = record.Standing{Revision: at.Revision + 1}
	value := record.JoinHead(at, put.GetState())
	if err := batch.Set(record.Key(metaShard, record.ClassCluster), value, nil); err != nil {
		return 0, err
	}
	if err := batch.Delete(record.Head(metaShard, oldCluster), nil); err != nil {
		return 0, err
	}
	m.revisions.set(clusterRevision, at)
	m.revisions.set(oldCluster, record.Standing{})
	return at.Revision, nil
}

// clusterRevision is the one that the cluster's state has, as of the entries applied so far, those
// in the open batch included.
func (m *machine) clusterRevision() (record.Standing, error) {
	if at, ok := m.revisions.get(clusterRevision); ok {
		return at, nil
	}
	if has, err := m.db.Has(record.Key(metaShard, record.ClassCluster)); err != nil || !has {
		if err != nil {
			return record.Standing{}, err
		}
		return m.revision(oldCluster)
	}
	at, _, err := readCluster(m.db)
	return at, err
}

// Recover makes what one node has left a cluster of its own, with a new id: see
// replication.Recover. The record of the old cluster goes; the node writes a new one when it
// starts. The directory must not be in use.
func Recover(disk engine.Options, shards int) (found []replication.RecoveredShard, cluster uint64, err error) {
	db, err := engine.Open(disk)
	if err != nil {
		return nil, 0, err
	}
	found, cluster, err = replication.Recover(db, shards, func(batch *pebble.Batch) error {
		if err := batch.Delete(record.Key(metaShard, record.ClassCluster), nil); err != nil {
			return err
		}
		return batch.Delete(record.Head(metaShard, oldCluster), nil)
	})
	return found, cluster, errors.Join(err, db.Close())
}
