package actors

import (
	"sync"
)

// workers run tasks on goroutines that are used again. A new goroutine begins with a stack of 2
// KiB, which what a message goes through here, the machine, the bot, the encoders, the connection,
// outgrows several times, and each time the stack is copied.
type workers struct {
	mu      sync.Mutex
	idle    []chan func() // of those that wait, the last to have come at the end: its stack is still in the caches
	stopped bool
	all     sync.WaitGroup
}

// maxIdle bounds the goroutines that wait for a task.
const maxIdle = 512

// run runs a task beside its caller, and never blocks.
func (w *workers) run(task func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if last := len(w.idle) - 1; last >= 0 {
		w.idle[last] <- task // it has room for one
		w.idle = w.idle[:last]
		return
	}
	if w.stopped {
		go task() // the end of an actor, without a caller that waits for it
		return
	}
	w.all.Go(func() { w.work(task) })
}

func (w *workers) work(task func()) {
	next := make(chan func(), 1)
	for ok := true; ok; task, ok = <-next {
		task()
		if !w.rest(next) {
			return
		}
	}
}

// rest makes a worker one of those that wait; false where there are enough of them, or none is
// needed any more.
func (w *workers) rest(next chan func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped || len(w.idle) >= maxIdle {
		return false
	}
	w.idle = append(w.idle, next)
	return true
}

// stop returns when no worker is left.
func (w *workers) stop() {
	w.mu.Lock()
	w.stopped = true
	for _, next := range w.idle {
		close(next)
	}
	w.idle = nil
	w.mu.Unlock()
	w.all.Wait()
}

// dispatcher lets workers run the mailboxes.
type dispatcher struct{ *workers }

// Schedule implements actor.Dispatcher.
func (d dispatcher) Schedule(fn func()) { d.run(fn) }

// Throughput implements actor.Dispatcher: how many messages an actor takes before another one's
// turn.
func (d dispatcher) Throughput() int { return 64 }
