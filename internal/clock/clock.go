// Package clock is the machine's clock and scheduler, as the packages that take theirs as a
// parameter ask for it (cluster/routing, cluster/control). The simulation passes one of its own.
package clock

import (
	"context"
	"sync"
	"time"

	"github.com/wactor/wactor/internal/pause"
)

// System is the clock and the scheduler of this machine.
type System struct{}

// Now returns the time, with its monotonic part.
func (System) Now() time.Time { return time.Now() }

// AfterFunc calls f in its own goroutine after d, unless stop is called before, which reports
// whether it was in time.
func (System) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}

// Go runs a task in its own goroutine.
func (System) Go(task func()) { go task() }

// All runs tasks beside each other and returns when all have returned.
func (System) All(tasks ...func()) {
	var all sync.WaitGroup
	for _, task := range tasks {
		all.Go(task)
	}
	all.Wait()
}

// Sleep waits. It returns false where ctx ended before.
func (System) Sleep(ctx context.Context, d time.Duration) bool { return pause.For(ctx, d) }
