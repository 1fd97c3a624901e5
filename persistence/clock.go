package persistence

import (
	"sync"
	"time"
)

// Ticks. A leader is heard of with every tick; one that is not for electionTicks to twice as many
// is stood against.
const (
	// TickInterval is the time between two ticks.
	TickInterval  = 50 * time.Millisecond
	electionTicks = 10
)

// clock ticks for the groups that have replicas elsewhere.
type clock struct {
	store    *Store
	stop     chan struct{}
	stopOnce sync.Once
	stopped  sync.WaitGroup
}

func newClock(s *Store) *clock { return &clock{store: s, stop: make(chan struct{})} }

func (c *clock) start() {
	c.stopped.Go(func() {
		ticker := time.NewTicker(TickInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				c.store.Tick()
			case <-c.stop:
				return
			}
		}
	})
}

// close stops the clock and waits until it has.
func (c *clock) close() {
	c.stopOnce.Do(func() { close(c.stop) })
	c.stopped.Wait()
}

// Tick lets TickInterval go by. With Options.Manual the caller calls it; otherwise nobody else
// does.
func (s *Store) Tick() {
	for _, l := range s.lanes {
		l.tick()
	}
}

// Drive does what waits in all lanes, until nothing does. With Options.Manual the caller calls it,
// on one goroutine.
func (s *Store) Drive() error {
	for again := true; again; {
		again = false
		for _, l := range s.lanes {
			in, closed := l.take()
			if closed {
				refuse(in.proposals)
				return ErrClosed
			}
			if in.empty() && len(l.active) == 0 {
				continue
			}
			if err := l.cycle(in); err != nil {
				s.fatal(err)
				l.end()
				return err
			}
			again = true
		}
	}
	return nil
}
