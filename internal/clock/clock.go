// Package clock is the machine's clock, as the packages that take theirs as a parameter ask for it
// (cluster/routing). The simulation passes one of its own.
package clock

import "time"

// System is the clock of this machine.
type System struct{}

// Now returns the time, with its monotonic part.
func (System) Now() time.Time { return time.Now() }

// AfterFunc calls f in its own goroutine after d, unless stop is called before, which reports
// whether it was in time.
func (System) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return time.AfterFunc(d, f).Stop
}
