package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wactor/wactor/backup"
	"github.com/wactor/wactor/cluster/peer"
	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/persistence/store"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// backups makes backups of the cluster.
type backups struct {
	n        *Node
	target   backup.Target
	options  backup.Options
	schedule schedule
	metrics  backupMetrics
	// busy is held while a backup is made.
	busy sync.Mutex
	// ctx ends when the node stops; running are the backups that it waits for then.
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// newBackups returns what makes no backups where no target is configured.
func newBackups(n *Node, c config.Backup) (*backups, error) {
	b := &backups{n: n, options: backup.Options{Rate: int64(c.Rate), Version: n.options.Version},
		schedule: newSchedule(c)}
	b.metrics = newBackupMetrics(n.registry, &b.schedule)
	b.ctx, b.cancel = context.WithCancel(context.Background())
	if c.To == "" {
		return b, nil
	}
	var err error
	if b.target, err = backup.OpenTarget(c.To); err != nil {
		return nil, fmt.Errorf("node: backup.to: %w", err)
	}
	for _, text := range c.Encrypt.Recipients {
		recipient, err := backup.ParseRecipient(text)
		if err != nil {
			return nil, fmt.Errorf("node: backup.encrypt.recipients: %w", err)
		}
		b.options.Recipients = append(b.options.Recipients, recipient)
	}
	return b, nil
}

// start makes backups from now on, where they are made by themselves.
func (b *backups) start() {
	if b.target != nil && b.schedule.every > 0 {
		b.running.Go(func() { b.watch(b.ctx) })
	}
}

// errBusy: backups are made one after the other.
var errBusy = errors.New("this node makes a backup already")

// create makes a backup. It ends with ctx, and with the node.
func (b *backups) create(ctx context.Context) (*backup.Created, error) {
	if !b.busy.TryLock() {
		return nil, errBusy
	}
	defer b.busy.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(b.ctx, cancel)()
	created, err := backup.Create(ctx, backupCluster{b.n}, b.target, b.options)
	if err == nil {
		err = b.finish(ctx, created.Manifest)
	}
	if err != nil && b.ctx.Err() != nil {
		err = errors.Join(errors.New("the node stops"), err)
	}
	return created, err
}

// CreateBackup implements admin.Backups.
func (b *backups) CreateBackup(ctx context.Context) (*wactorv1.CreateBackupResponse, error) {
	b.running.Add(1)
	defer b.running.Done()
	began := time.Now()
	created, err := b.create(ctx)
	if err != nil {
		b.metrics.failures.Inc()
		b.schedule.fail(time.Now())
		b.n.options.Logger.Error("a backup failed", "error", err)
		return nil, err
	}
	sums := created.Totals()
	b.metrics.bytes.Set(float64(sums.Stored))
	b.metrics.seconds.Set(time.Since(began).Seconds())
	b.n.options.Logger.Info("a backup was made", "backup", created.Name, "shards", created.Shards, "conversations",
		sums.Conversations, "bytes", sums.Stored, "held", created.Held.Round(time.Millisecond).String())
	return &wactorv1.CreateBackupResponse{
		Backup: created.Name, Shards: created.Shards, Conversations: sums.Conversations, Bytes: sums.Bytes,
		StoredBytes: sums.Stored, HeldMs: created.Held.Milliseconds(),
	}, nil
}

// close ends the backups that are being made.
func (b *backups) close() {
	if b != nil {
		b.cancel()
		b.running.Wait()
	}
}

// backupCluster is the cluster as a backup sees it.
type backupCluster struct{ n *Node }

var _ backup.Cluster = backupCluster{}

func (c backupCluster) Shards() uint32  { return uint32(c.n.config.Cluster.Shards) }
func (c backupCluster) Cluster() uint64 { return c.n.store.Cluster() }

func (c backupCluster) Sessions(ctx context.Context) ([]backup.Session, error) {
	sessions := []backup.Session{newBackupSession(c.n)}
	peers := c.n.peers.cluster()
	if peers == nil {
		return sessions, nil
	}
	for _, m := range peers.Known().GetMembers() {
		if m.Node == c.n.store.Node() || m.Standing == clusterv1.Standing_STANDING_REMOVED || !peers.Alive(m.Node) {
			continue
		}
		if session, err := peers.Backup(ctx, m.Node); err == nil {
			sessions = append(sessions, session)
		}
	}
	return sessions, nil
}

// backupSession is the part of this node in a backup.
type backupSession struct {
	n *Node

	mu      sync.Mutex
	release func()
	limit   *time.Timer
	ended   bool // the hold, by its limit
	terms   map[uint32]uint64
	views   map[uint32]*store.View
}

var (
	_ backup.Session     = (*backupSession)(nil)
	_ peer.BackupSession = (*backupSession)(nil)
)

func newBackupSession(n *Node) *backupSession {
	return &backupSession{n: n, terms: map[uint32]uint64{}, views: map[uint32]*store.View{}}
}

// heldAtMost is how long conversations take nothing from each other, should the node that makes the
// backup be gone.
const heldAtMost = 10 * time.Second

var errHoldEnded = errors.New("node: taking the views took too long: the hold has ended")

// Hold implements backup.Session.
func (s *backupSession) Hold(context.Context) ([]*clusterv1.HeldShard, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.release != nil {
		return nil, 0, errors.New("node: the session holds already")
	}
	s.release = s.n.runtime.HoldLinks()
	s.limit = time.AfterFunc(heldAtMost, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ended = true
		s.release()
	})
	var held []*clusterv1.HeldShard
	for shard := uint32(1); shard <= uint32(s.n.config.Cluster.Shards); shard++ {
		if term := s.n.leaderships.term(shard); term != 0 {
			s.terms[shard] = term
			held = append(held, &clusterv1.HeldShard{Shard: shard, Term: term})
		}
	}
	return held, s.n.store.Epoch(), nil
}

// View implements backup.Session.
func (s *backupSession) View(_ context.Context, shards []uint32) ([]*clusterv1.HeldShard, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var taken []*clusterv1.HeldShard
	for _, shard := range shards {
		term := s.terms[shard]
		if term == 0 || s.views[shard] != nil {
			return nil, fmt.Errorf("node: no view of shard %d was announced", shard)
		}
		view, err := s.n.store.View(shard)
		if err != nil {
			return nil, err
		}
		s.views[shard] = view
		// Behind the view: so no other node was the leader when it was taken.
		if s.n.leaderships.term(shard) != term || !s.n.store.Leased(shard, term) {
			return nil, fmt.Errorf("node: this node is not the leader of shard %d any more", shard)
		}
		taken = append(taken, &clusterv1.HeldShard{Shard: shard, Term: term, Index: view.Index})
	}
	return taken, nil
}

// Release implements backup.Session.
func (s *backupSession) Release(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.release == nil || s.ended {
		return errHoldEnded
	}
	s.limit.Stop()
	s.release()
	return nil
}

// Read implements backup.Session.
func (s *backupSession) Read(ctx context.Context, shard uint32, each func(key, value []byte) error) error {
	s.mu.Lock()
	view := s.views[shard]
	s.mu.Unlock()
	if view == nil {
		return fmt.Errorf("node: there is no view of shard %d", shard)
	}
	err := view.Each(func(key, value []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return each(key, value)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.views, shard) // its files are free again
	return errors.Join(err, view.Close())
}

// Close implements backup.Session.
func (s *backupSession) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.release != nil {
		s.limit.Stop()
		s.release()
	}
	for shard, view := range s.views { //lint:order nothing is output
		_ = view.Close()
		delete(s.views, shard)
	}
}

// Backup begins the part of this node in a backup that another one makes.
func (w work) Backup() peer.BackupSession { return newBackupSession(w.n) }
