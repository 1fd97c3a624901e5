package simulate

import (
	"context"
	"sync"
	"time"
)

// user keeps what one user sent and got. It is safe for concurrent use.
type user struct {
	mu       sync.Mutex
	messages []message
	replies  []reply
	// open is how many accepted messages have no reply.
	open int
	// answered is closed when open gets 0; nil where no goroutine waits.
	answered chan struct{}
	// tired says that a reply did not come in time: this user writes on without waiting.
	tired bool
}

// write notes a message that is about to be posted and returns the time at which it was sent, as
// the webhook tells it. One that was overtaken was sent a second before the one that overtook it.
func (u *user) write(k int, swapped bool, due time.Time, dueNs, nowNs int64) (sentMs int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for len(u.messages) <= k {
		u.messages = append(u.messages, message{})
	}
	sentMs = due.UnixMilli()
	if swapped {
		sentMs = (u.messages[k+1].sentS - 1) * 1000
	}
	m := &u.messages[k]
	m.dueNs, m.postedNs, m.sentS = dueNs, max(nowNs, 1), sentMs/1000
	return sentMs
}

// accept notes that a webhook with a message was answered 200; false where it was before.
func (u *user) accept(k int, nowNs int64) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	m := &u.messages[k]
	if m.acceptedNs != 0 {
		return false
	}
	m.acceptedNs = nowNs
	if m.repliedNs == 0 {
		u.open++
	}
	return true
}

// take notes a reply. It returns how many messages it is the first to answer.
func (u *user) take(r reply, nowNs int64) (first int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.replies = append(u.replies, r)
	for _, k := range r.ks {
		if k >= len(u.messages) || u.messages[k].repliedNs != 0 {
			continue
		}
		first++
		m := &u.messages[k]
		m.repliedNs = nowNs
		if m.acceptedNs != 0 {
			u.open--
		}
	}
	if first > 0 && u.open == 0 && u.answered != nil {
		close(u.answered)
		u.answered = nil
	}
	return first
}

// await waits until every accepted message has its reply, for patience at most. A user who was let
// down once waits no more, so that a bot that loses much does not make the run endless.
func (u *user) await(ctx context.Context, patience time.Duration) {
	u.mu.Lock()
	if u.open == 0 || u.tired {
		u.mu.Unlock()
		return
	}
	answered := make(chan struct{})
	u.answered = answered
	u.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-answered:
	case <-ctx.Done():
	case <-timer.C:
		u.mu.Lock()
		u.tired = true
		u.mu.Unlock()
	}
}

// check judges the user.
func (u *user) check() (Counts, []violation) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return checkUser(u.messages, u.replies)
}
