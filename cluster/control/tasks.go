package control

import (
	"context"
	"sync"
	"time"
)

// tasks are what runs until it is stopped.
type tasks struct {
	scheduler Scheduler
	ctx       context.Context
	cancel    context.CancelFunc
	running   sync.WaitGroup

	mu sync.Mutex // orders run before close
}

func newTasks(s Scheduler) *tasks {
	t := &tasks{scheduler: s}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

// run runs a task that close waits for; false where it is stopped.
func (t *tasks) run(task func(context.Context)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx.Err() != nil {
		return false
	}
	t.running.Add(1)
	t.scheduler.Go(func() {
		defer t.running.Done()
		task(t.ctx)
	})
	return true
}

func (t *tasks) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cancel()
}

func (t *tasks) close() {
	t.stop()
	t.running.Wait()
}

// within is ctx for so long.
func (t *tasks) within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := t.scheduler.AfterFunc(d, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// loop runs a task whenever it is poked, and when the wait is over that the task returned last. One
// runs at a time; what pokes it meanwhile makes it run once more.
type loop struct {
	tasks *tasks
	task  func(context.Context) (next time.Duration)

	mu                      sync.Mutex
	started, running, again bool
	stopTimer               func() bool
}

func newLoop(t *tasks, task func(context.Context) time.Duration) *loop {
	return &loop{tasks: t, task: task}
}

// start runs the task for the first time.
func (l *loop) start() {
	l.mu.Lock()
	l.started = true
	l.mu.Unlock()
	l.poke()
}

// poke runs the task soon. It does not block; before start it does nothing.
func (l *loop) poke() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.started {
		return
	}
	if l.running {
		l.again = true
		return
	}
	if l.stopTimer != nil {
		l.stopTimer()
		l.stopTimer = nil
	}
	l.running = l.tasks.run(l.run)
}

func (l *loop) run(ctx context.Context) {
	for ctx.Err() == nil {
		next := l.task(ctx)
		if l.finish(next) {
			return
		}
	}
}

// finish ends the run and sets the timer, unless the task was poked meanwhile.
func (l *loop) finish(next time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.again {
		l.again = false
		return false
	}
	l.running = false
	if next > 0 {
		l.stopTimer = l.tasks.scheduler.AfterFunc(next, l.poke)
	}
	return true
}
