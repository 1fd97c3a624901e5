package backup

import (
	"context"
	"errors"
	"fmt"
	"time"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// Session is the part of one node in a backup. Its methods are called one after the other, in the
// order in which they stand here; an error ends it but for Close.
type Session interface {
	// Hold keeps the conversations of the node from taking anything from each other, for a few
	// seconds at most. Then it returns the shards whose leader the node is, each with the term, and
	// the epoch of its cluster.
	Hold(ctx context.Context) (held []*clusterv1.HeldShard, epoch uint64, err error)
	// View takes a view of each of these shards. It fails where the node is not the leader of
	// one any more, in the term of Hold and by its lease.
	View(ctx context.Context, shards []uint32) ([]*clusterv1.HeldShard, error)
	// Release ends the hold. It fails where that ended before by itself.
	Release(ctx context.Context) error
	// Read reads the view of a shard, in the order of the keys, which lack the shard.
	Read(ctx context.Context, shard uint32, each func(key, value []byte) error) error
	// Close gives everything back.
	Close()
}

// Cluster is what a backup is made of.
type Cluster interface {
	// Sessions begins one with each node that may be the leader of a shard. Those that do not
	// answer are left out.
	Sessions(ctx context.Context) ([]Session, error)
	// Shards is the number of shards.
	Shards() uint32
	// Cluster is the id.
	Cluster() uint64
}

// cut is a view of each shard.
//
// It is consistent: where a view holds what one conversation took from another, the other one's
// view holds what made it send that. For it was taken before its node began to hold, and sent once
// its cause was committed. So the cause was committed before the last node began to hold, and each
// view is taken after that, by the leader of its shard. That no node which does not hold is the
// leader of a shard meanwhile is shown by the lease, and by the term, which is that of the hold.
type cut struct {
	sessions []Session
	// by is the session that has the view of a shard, at entry index.
	by    map[uint32]Session
	index map[uint32]uint64
	epoch uint64
	// takenAt is a moment before all views, and held how long nothing was taken.
	takenAt time.Time
	held    time.Duration
}

func (c *cut) close() {
	for _, s := range c.sessions {
		s.Close()
	}
}

const (
	// cutTries is how often a cut is tried: leaders change, and nodes go.
	cutTries = 5
	// cutPause is the time between two tries: an election takes one to two seconds.
	cutPause = 2 * time.Second
)

// takeCut takes a view of each shard. The cut must be closed.
func takeCut(ctx context.Context, cluster Cluster) (*cut, error) {
	var failed error
	for try := range cutTries {
		if try > 0 {
			select {
			case <-time.After(cutPause):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		c, err := tryCut(ctx, cluster)
		if err == nil || ctx.Err() != nil {
			return c, errors.Join(err, ctx.Err())
		}
		failed = err
	}
	return nil, fmt.Errorf("backup: no view of all shards could be taken in %d tries: %w", cutTries, failed)
}

func tryCut(ctx context.Context, cluster Cluster) (*cut, error) {
	sessions, err := cluster.Sessions(ctx)
	c := &cut{sessions: sessions, by: map[uint32]Session{}, index: map[uint32]uint64{}}
	if err == nil {
		err = c.take(ctx, cluster.Shards())
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *cut) take(ctx context.Context, shards uint32) error {
	began := time.Now()
	terms := map[uint32]uint64{}
	for _, s := range c.sessions {
		held, epoch, err := s.Hold(ctx)
		if err != nil {
			return err
		}
		c.epoch = max(c.epoch, epoch)
		for _, h := range held {
			if h.Term > terms[h.Shard] {
				terms[h.Shard], c.by[h.Shard] = h.Term, s
			}
		}
	}
	wanted := map[Session][]uint32{}
	for shard := uint32(1); shard <= shards; shard++ {
		if c.by[shard] == nil {
			return fmt.Errorf("shard %d has no leader that answers", shard)
		}
		wanted[c.by[shard]] = append(wanted[c.by[shard]], shard)
	}
	c.takenAt = time.Now()
	for _, s := range c.sessions {
		views, err := s.View(ctx, wanted[s])
		if err != nil {
			return err
		}
		for _, v := range views {
			c.index[v.Shard] = v.Index
		}
	}
	for _, s := range c.sessions {
		if err := s.Release(ctx); err != nil {
			return err
		}
	}
	if len(c.index) != int(shards) {
		return fmt.Errorf("views of %d shards were taken, and there are %d", len(c.index), shards)
	}
	c.held = time.Since(began)
	return nil
}
