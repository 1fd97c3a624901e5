package actors

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// TestWorkersAreUsedAgain: tasks that do not overlap need one goroutine, those that do one each,
// and none is left.
func TestWorkersAreUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &workers{}
		for range 10 {
			w.run(func() {})
			synctest.Wait()
		}
		if n := len(w.idle); n != 1 {
			t.Errorf("%d goroutines wait after tasks one after the other", n)
		}
		release := make(chan struct{})
		var ran atomic.Int32
		for range maxIdle + 10 {
			w.run(func() { <-release; ran.Add(1) })
		}
		synctest.Wait()
		close(release)
		synctest.Wait()
		if n := len(w.idle); n != maxIdle || ran.Load() != maxIdle+10 {
			t.Errorf("%d ran, %d goroutines wait", ran.Load(), n)
		}
		w.stop()
		w.stop()
		w.run(func() { ran.Store(0) }) // late, and run all the same
		synctest.Wait()
		if ran.Load() != 0 {
			t.Error("a task after the end was not run")
		}
	})
}
