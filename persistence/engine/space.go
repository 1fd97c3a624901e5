package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// space watches the room on the disk. A write to a full disk ends the process; so before it comes
// to that, Full asks callers to take nothing new, while what is stored goes on.
type space struct {
	engine  *Engine
	reserve int64 // as configured
	full    atomic.Bool
	free    atomic.Int64 // bytes, as of the last look

	stop     chan struct{}
	stopOnce sync.Once
	stopped  sync.WaitGroup
}

const (
	// lookEvery is how often the room is looked at. Within it a node that takes 100 MB of messages
	// a second comes 100 MB nearer to the end of the disk.
	lookEvery = time.Second
	// mostReserve bounds the default reserve, which is a twentieth of the disk.
	mostReserve = 1 << 30
)

func newSpace(e *Engine, reserve int64) *space {
	return &space{engine: e, reserve: reserve, stop: make(chan struct{})}
}

// Full reports whether less than the reserve is left on the disk: nothing new should be taken until
// it ends by itself.
func (e *Engine) Full() bool { return e.space.full.Load() }

// look looks at the room. A file system that can't tell has enough.
func (s *space) look() {
	o := &s.engine.options
	usage, err := o.FS.GetDiskUsage(o.Dir)
	if err != nil {
		return
	}
	free, reserve := int64(usage.AvailBytes), s.reserve
	if reserve == 0 {
		reserve = int64(min(usage.TotalBytes/20, mostReserve))
	}
	s.free.Store(free)
	switch was := s.full.Load(); {
	case !was && free < reserve:
		s.full.Store(true)
		o.Logger.Warn("the disk is nearly full: no new messages are taken until there is room again", "free_bytes",
			free,
			"reserve_bytes", reserve)
	case was && free >= reserve+reserve/8: // not at once again
		s.full.Store(false)
		o.Logger.Info("there is room on the disk again: new messages are taken", "free_bytes", free)
	}
}

func (s *space) start() {
	s.look()
	s.stopped.Go(func() {
		ticker := time.NewTicker(lookEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				s.look()
			case <-s.stop:
				return
			}
		}
	})
}

func (s *space) close() {
	s.stopOnce.Do(func() { close(s.stop) })
	s.stopped.Wait()
}

// used is the bytes of all files. The engine's own count leaves out the log that it writes to.
func (e *Engine) used() (bytes int64) {
	fs := e.options.FS
	names, err := fs.List(e.options.Dir)
	if err != nil {
		return 0
	}
	for _, name := range names {
		if info, err := fs.Stat(fs.PathJoin(e.options.Dir, name)); err == nil { // it may be gone by now
			bytes += info.Size()
		}
	}
	return bytes
}

// Collectors are the metrics of the disk.
func (e *Engine) Collectors() []prometheus.Collector {
	return []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "wactor_disk_bytes",
			Help: "Bytes of the files of the store."}, func() float64 {
			return float64(e.used())
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "wactor_disk_free_bytes",
			Help: "Bytes that are free on the store's disk; 0 where that is not known."}, func() float64 {
			return float64(e.space.free.Load())
		}),
	}
}
