package actors

import (
	"context"
	"time"
)

// PrepareTransfer ends the activations of a shard that this node leads, so that another node can
// become its leader with no reply in doubt: sends in flight are completed, and their outcome is
// committed. It returns when all have ended, or with the context's error. Deliveries are answered
// ErrNotLeader from now on, until the leader changes, or CancelTransfer.
func (r *Runtime) PrepareTransfer(ctx context.Context, shard uint32) error {
	t := r.tables[shard]
	t.mu.Lock()
	t.leaving = true
	t.mu.Unlock()
	t.each(func(a *activation) { a.mailbox.Post(stopGracefully{}) })
	for {
		t.mu.Lock()
		left := len(t.activations.all)
		t.mu.Unlock()
		if left == 0 {
			return nil
		}
		if !r.scheduler.Sleep(ctx, 2*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// CancelTransfer goes on with a shard after a PrepareTransfer, where it has no other leader.
func (r *Runtime) CancelTransfer(shard uint32) {
	t := r.tables[shard]
	t.mu.Lock()
	left, term := t.leaving, t.term
	t.leaving = false
	t.mu.Unlock()
	if left && t.isReady() {
		r.goWork(func() { t.takeUp(term) })
	}
}

// Leads reports whether this node takes deliveries for a shard.
func (r *Runtime) Leads(shard uint32) bool { return r.tables[shard].isReady() }
