package actors

import (
	"sync"
	"sync/atomic"
)

// workers run tasks on goroutines that are used again. A new goroutine begins with a stack of 2 KiB, which what a message goes
// through here, the machine, the bot, the encoders, the connection, outgrows several times, and each time the stack is copied.
type workers struct {
	tasks chan func()
	ended chan struct{}
	idle  atomic.Int32

	mu      sync.Mutex
	stopped bool
	all     sync.WaitGroup
}

// maxIdle bounds the goroutines that wait for a task.
const maxIdle = 512

func newWorkers() *workers { return &workers{tasks: make(chan func()), ended: make(chan struct{})} }

// run runs a task beside its caller, and never blocks.
func (w *workers) run(task func()) {
	select {
	case w.tasks <- task:
		return
	default:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		go task() // the last words of an actor, which nobody waits for
		return
	}
	w.all.Go(func() { w.work(task) })
}

func (w *workers) work(task func()) {
	for {
		task()
		if w.idle.Add(1) > maxIdle {
			w.idle.Add(-1)
			return
		}
		select {
		case task = <-w.tasks:
			w.idle.Add(-1)
		case <-w.ended:
			return
		}
	}
}

// stop returns when no worker is left.
func (w *workers) stop() {
	w.mu.Lock()
	if !w.stopped {
		w.stopped = true
		close(w.ended)
	}
	w.mu.Unlock()
	w.all.Wait()
}

// dispatcher lets workers run the mailboxes.
type dispatcher struct{ *workers }

// Schedule implements actor.Dispatcher.
func (d dispatcher) Schedule(fn func()) { d.run(fn) }

// Throughput implements actor.Dispatcher: how many messages an actor takes before another one's turn.
func (d dispatcher) Throughput() int { return 64 }
