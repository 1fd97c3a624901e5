package node

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/backup"
	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/internal/pause"
)

// schedule makes backups by themselves, on the leader of the meta group, and watches on each node
// how old the newest one is.
type schedule struct {
	every  time.Duration
	keep   backup.Keep
	verify bool
	began  time.Time

	mu     sync.Mutex
	newest *backup.Manifest // that this node knows of
	failed time.Time        // when the last one failed here
}

const (
	// lookEvery is how often the target is asked for the newest backup.
	lookEvery = 30 * time.Second
	// againAfter is how long after a failure the next try is made, at most.
	againAfter = 5 * time.Minute
	// madeWithin bounds one backup: its views keep files of the store that are long out of use.
	madeWithin = 6 * time.Hour
)

func newSchedule(c config.Backup) schedule {
	return schedule{every: c.Every, verify: c.Verify == "files", began: time.Now(),
		keep: backup.Keep{Last: c.Keep.Last, Daily: c.Keep.Daily, Weekly: c.Keep.Weekly}}
}

// age is how old the newest backup is. Before there is one, it counts from the start of the node.
func (s *schedule) age(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.newest != nil {
		return now.Sub(s.newest.TakenAt)
	}
	return now.Sub(s.began)
}

// know notes a backup.
func (s *schedule) know(m *backup.Manifest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.newest == nil || m.TakenAt.After(s.newest.TakenAt) {
		s.newest = m
	}
}

func (s *schedule) fail(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = now
}

// due reports whether a backup is to be made. A node that has just become the leader, or started,
// has looked for the newest one before.
func (s *schedule) due(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	ready := now.Sub(s.failed) >= min(s.every, againAfter)
	return ready && (s.newest == nil || now.Sub(s.newest.TakenAt) >= s.every)
}

// look finds the newest backup.
func (b *backups) look(ctx context.Context) {
	m, err := backup.Newest(ctx, b.target, b.n.store.Cluster())
	switch {
	case err == nil:
		b.schedule.know(m)
	case !errors.Is(err, backup.ErrNone) && ctx.Err() == nil:
		b.n.options.Logger.Warn("the newest backup can't be read", "error", err)
	}
}

// watch makes backups when they are due, until ctx ends.
func (b *backups) watch(ctx context.Context) {
	for pause.For(ctx, min(lookEvery, b.schedule.every/10)) {
		b.look(ctx)
		if b.n.leaderships.term(0) == 0 || !b.schedule.due(time.Now()) || ctx.Err() != nil {
			continue
		}
		within, cancel := context.WithTimeout(ctx, madeWithin)
		_, _ = b.CreateBackup(within) // it is logged and counted
		cancel()
	}
}

// finish looks into a backup that was made, and removes those that are not kept any more.
func (b *backups) finish(ctx context.Context, m *backup.Manifest) error {
	if b.schedule.verify {
		if _, err := backup.Verify(ctx, b.target, m, backup.Files, nil); err != nil {
			return errors.Join(err, backup.Delete(context.WithoutCancel(ctx), b.target, m.Name))
		}
	}
	b.schedule.know(m)
	if b.schedule.every == 0 {
		return nil // an operator makes them, and removes them
	}
	removed, err := backup.Prune(ctx, b.target, b.n.store.Cluster(), b.schedule.keep, time.Now())
	if err != nil {
		b.n.options.Logger.Warn("old backups could not be removed", "error", err)
	}
	for _, name := range removed {
		b.n.options.Logger.Info("an old backup was removed", "backup", name)
	}
	return nil
}

// backupMetrics are those of the backups. They are there without a target, too.
type backupMetrics struct {
	failures prometheus.Counter
	bytes    prometheus.Gauge
	seconds  prometheus.Gauge
}

func newBackupMetrics(registerer prometheus.Registerer, s *schedule) backupMetrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := backupMetrics{
		failures: prometheus.NewCounter(prometheus.CounterOpts{Name: "wactor_backup_failures_total",
			Help: "Backups that this node began and that failed."}),
		bytes:   gauge("wactor_backup_bytes", "Bytes of the objects of the last backup that this node made."),
		seconds: gauge("wactor_backup_seconds", "How long the last backup took that this node made."),
	}
	registerer.MustRegister(m.failures, m.bytes, m.seconds,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "wactor_backup_every_seconds",
			Help: "How often a backup should be made; 0 where none is made by itself."},
			func() float64 { return s.every.Seconds() }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "wactor_backup_age_seconds",
			Help: "How old the newest backup of the cluster is, or else how long the node runs; 0 where none is " +
				"made by itself."},
			func() float64 {
				if s.every == 0 {
					return 0
				}
				return s.age(time.Now()).Seconds()
			}))
	return m
}
