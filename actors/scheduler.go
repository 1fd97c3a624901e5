package actors

import (
	"context"
	"time"
)

// Scheduler decides when and on which goroutine a Runtime's work runs. Everything in this package
// that takes time, waits or runs beside its caller goes through it, so that a simulation can run a
// Runtime one step at a time, in an order that it has drawn.
type Scheduler interface {
	// Now returns the time.
	Now() time.Time
	// Spawn returns a mailbox whose messages are passed to a receiver.
	Spawn(Receiver) Mailbox
	// Go runs a task beside its caller. The task may block: in Sleep, in the store, in bots and in
	// senders.
	Go(task func())
	// After calls fn, which does not block, after a while, unless the timer is stopped before.
	After(d time.Duration, fn func()) Timer
	// Sleep blocks a task that Go runs. It returns true after d, or false once ctx has ended.
	Sleep(ctx context.Context, d time.Duration) bool
}

// Mailbox queues messages for its receiver, which gets them one at a time. Those that one goroutine
// posts keep their order.
type Mailbox interface {
	// Post queues a message. It never blocks.
	Post(message any)
	// Close is called by the receiver while it handles its last message. What is posted from then
	// on is dropped.
	Close()
}

// Receiver handles the messages of a mailbox, and ignores those that it does not know. It does not
// block and does not panic.
type Receiver interface {
	Receive(message any)
}

// Timer is a *time.Timer of time.AfterFunc, or acts like one.
type Timer interface {
	// Reset lets it ring once, after d. It reports whether it was to ring before.
	Reset(d time.Duration) bool
	// Stop keeps it from ringing. It reports whether it was to ring.
	Stop() bool
}
