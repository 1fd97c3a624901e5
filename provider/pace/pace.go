// Package pace keeps what a channel sends below its provider's rate, and stops a channel that can't
// send. It stands before any provider's sender, and decides by outcomes alone.
package pace

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/wactor/wactor/provider"
)

// Options bound what one channel sends.
type Options struct {
	// PerSecond is how many messages a second may leave; 0 is no bound. WhatsApp's throughput is 80
	// a second for most numbers.
	PerSecond int
	// Logger is notified when the channel can't send, and when it can again.
	Logger *slog.Logger
}

const (
	// shortWait is how long a send waits here for its slot. Past that it is given back: a reply
	// that waits with its sender would be one in doubt after a crash, though it was never sent.
	shortWait = 50 * time.Millisecond
	// holdFor is how long a channel that can't send is left alone before one reply tries again.
	holdFor = 30 * time.Second
	// probeFor is how long the others wait for what becomes of that one; then another tries. All of
	// them come back when the hold is over: as long a wait again would keep them from a channel
	// that was fixed.
	probeFor = 2 * time.Second
	// slowest bounds how far complaints slow a channel down: to an eighth of its pace.
	slowest = 8
	// calm is how long the provider must not have complained before the channel gets faster again,
	// one step.
	calm = 10 * time.Second
)

// Sender sends within a pace, and stops a channel that can't send: a token that was refused for one
// reply is refused for all. What is not sent is given back with NotTried and the time of its slot.
// It is safe for concurrent use.
type Sender struct {
	sender  provider.Sender
	options Options

	mu    sync.Mutex
	next  time.Time            // the first free slot
	slots map[string]time.Time // of replies that were given back, by reply id
	swept time.Time
	// nodes share the pace.
	nodes int
	// slow divides the pace while the provider complains; it fell or rose at changed.
	slow    int
	changed time.Time
	// heldUntil is when a channel that can't send tries again; held says that it could not the last
	// time.
	heldUntil time.Time
	held      bool
	// heldSince and heldFor are since when it can't, and the provider's reason.
	heldSince time.Time
	heldFor   string
}

var _ provider.Sender = (*Sender)(nil)

// New returns a sender that keeps a pace.
func New(sender provider.Sender, options Options) *Sender {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	return &Sender{sender: sender, options: options, slots: map[string]time.Time{}, nodes: 1, slow: 1}
}

// Share tells how many nodes send for the channel, this one included: each takes an equal part of
// the pace. 1 until it is called; less counts as 1. Slots that were given stay.
func (p *Sender) Share(nodes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nodes = max(nodes, 1)
}

// Send makes one attempt as the sender behind it does, unless it has to wait for longer than a
// moment.
func (p *Sender) Send(ctx context.Context, out *provider.Outgoing) provider.Result {
	wait, back := p.slot(time.Now(), out.ReplyID)
	if back {
		return provider.Result{Outcome: provider.RetryLater, NotTried: true, RetryAfter: wait,
			Reason: "not sent: the channel is paced or held"}
	}
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return provider.Result{Outcome: provider.RetryLater, NotTried: true,
				Reason: "not sent: cancelled"}
		}
	}
	result := p.sender.Send(ctx, out)
	p.learn(time.Now(), result)
	return result
}

// slot says how long a reply has to wait, and whether it is to be given back meanwhile. A reply
// that was given back has its slot kept, so that the first to come is the first to go.
func (p *Sender) slot(now time.Time, id string) (wait time.Duration, back bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.heldUntil) {
		return p.heldUntil.Sub(now), true
	}
	if p.held {
		p.heldUntil = now.Add(probeFor) // this one tries
	}
	if p.options.PerSecond == 0 {
		return 0, false
	}
	at, kept := p.slots[id]
	if !kept {
		at = p.next
		if at.Before(now) {
			at = now
		}
		p.next = at.Add(time.Duration(p.slow*p.nodes) * time.Second / time.Duration(p.options.PerSecond))
	}
	if wait = at.Sub(now); wait > shortWait {
		p.forget(now)
		p.slots[id] = at
		return wait, true
	}
	delete(p.slots, id)
	return max(wait, 0), false
}

// forget drops slots of replies that did not come back for theirs: a status settled them, or their
// node is no longer this one.
func (p *Sender) forget(now time.Time) {
	const many, gone = 10_000, time.Minute
	if len(p.slots) < many || now.Sub(p.swept) < gone {
		return
	}
	p.swept = now
	maps.DeleteFunc(p.slots, func(_ string, at time.Time) bool { return now.Sub(at) > gone })
}

// Renew implements provider.Sender. A channel that is held tries the new secrets with its next
// reply. Settings with which it can't send are left aside, with a line in the log.
func (p *Sender) Renew(settings provider.Settings) error {
	if err := p.sender.Renew(settings); err != nil {
		p.options.Logger.Error("the new secrets can't be used: the former ones stay", "error", err)
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heldUntil = time.Time{}
	return nil
}

// MarkRead implements provider.Sender.
func (p *Sender) MarkRead(ctx context.Context, messageID string) error {
	return p.sender.MarkRead(ctx, messageID)
}

// Close implements provider.Sender.
func (p *Sender) Close() { p.sender.Close() }

// Held reports since when the channel can't send, and why; the zero time where it can.
func (p *Sender) Held() (since time.Time, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.held {
		return time.Time{}, ""
	}
	return p.heldSince, p.heldFor
}

// learn takes the provider's word.
func (p *Sender) learn(now time.Time, result provider.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case result.Outcome == provider.ChannelHeld:
		p.heldUntil = now.Add(holdFor)
		if !p.held {
			p.held, p.heldSince, p.heldFor = true, now, result.Reason
			p.options.Logger.Error("the channel can't send; its replies wait and nothing is lost", "reason",
				result.Reason, "code", result.Code)
		}
	case result.Outcome == provider.Sent:
		p.heldUntil = time.Time{}
		if p.held {
			p.held = false
			p.options.Logger.Info("the channel sends again")
		}
		if p.slow > 1 && now.Sub(p.changed) >= calm {
			p.slow, p.changed = p.slow/2, now
		}
	case result.Outcome == provider.ChannelLimited:
		// All replies that were under way complain together: one step is enough for them.
		if now.Sub(p.changed) >= time.Second {
			p.slow, p.changed = min(2*p.slow, slowest), now
		}
	}
	if p.held && result.Outcome != provider.ChannelHeld && result.Outcome != provider.Sent {
		p.heldUntil = time.Time{} // it says nothing about the token: the next one tries
	}
}
