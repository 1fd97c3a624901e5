package replication

import (
	"sync"
	"time"
)

// Ticks. A leader sends to its followers with every tick. A follower that receives nothing for
// electionTicks to twice as many stands for election.
const (
	// TickInterval is the time between two ticks.
	TickInterval  = 50 * time.Millisecond
	electionTicks = 10
)

// clock ticks for the groups that have replicas elsewhere.
type clock struct {
	host     *Host
	stop     chan struct{}
	stopOnce sync.Once
	stopped  sync.WaitGroup
}

func newClock(h *Host) *clock { return &clock{host: h, stop: make(chan struct{})} }

func (c *clock) start() {
	c.stopped.Go(func() {
		ticker := time.NewTicker(TickInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				c.host.Tick()
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

// Tick lets TickInterval go by. With Options.Manual the caller calls it; otherwise no other
// code does.
func (h *Host) Tick() {
	for _, l := range h.lanes {
		l.tick()
	}
}

// Drive does what waits in all lanes, until nothing does. With Options.Manual the caller calls it,
// on one goroutine.
func (h *Host) Drive() error {
	for again := true; again; {
		again = false
		for _, l := range h.lanes {
			in, closed := l.take()
			if closed {
				rejectClosed(in.proposals)
				return ErrClosed
			}
			if in.empty() && len(l.active) == 0 {
				continue
			}
			if err := l.cycle(in); err != nil {
				h.db.Fail(err)
				l.end()
				return err
			}
			again = true
		}
	}
	return nil
}

// pace lets a lane with much to do begin its cycles at intervals. What a cycle costs beside its
// proposals (an fsync, rounds of the consensus core, goroutines that are woken and put to sleep) is
// then shared by more of them, which saves a fifth of all CPU time at 8,500 messages a second. A
// lane with little to do begins at once, since no caller should wait to save what is there in
// plenty.
type pace struct {
	began time.Time // the newest cycle that took proposals
	since time.Time // from when proposals are counted
	count int
	busy  bool
}

const (
	// busyInterval is from the beginning of a busy lane's cycle to that of the next one, at least.
	// It is little beside what waits in every other queue of a machine that is that busy.
	busyInterval = 4 * time.Millisecond
	// busyRate is how many proposals in a millisecond make a lane busy: by then a sync is shared by
	// several, without any waiting.
	busyRate = 4
	// paceWindow is how long they are counted.
	paceWindow = 10 * time.Millisecond
)

// took notes the beginning of a cycle that takes so many proposals.
func (p *pace) took(now time.Time, proposals int) {
	if proposals > 0 {
		p.began = now
	}
	p.count += proposals
	if counted := now.Sub(p.since); counted >= paceWindow {
		p.busy = p.count >= busyRate*int(counted/time.Millisecond)
		p.since, p.count = now, 0
	}
}

// next is when the next cycle may begin that only proposals ask for.
func (p *pace) next() time.Time {
	if !p.busy {
		return p.began
	}
	return p.began.Add(busyInterval)
}
