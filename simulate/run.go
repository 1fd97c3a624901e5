package simulate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/whatsapp/emulator"
)

// Run plays the users and returns what came of it. It fails where the run itself is not possible: the webhook can't be reached
// or refuses, the Graph API's address is taken, ctx ends. A bot that does wrong is no error; Report.Violations counts.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", o.Graph)
	if err != nil {
		return nil, fmt.Errorf("simulate: the fake Graph API can't listen: %w", err)
	}
	r := newRecord(&o, strconv.FormatInt(time.Now().UnixMilli(), 36))
	p := newPoster(&o, r)
	s := newStatuses(&o, p)
	graph := &http.Server{Handler: emulator.NewGraph(o.AccessToken, o.Faults, func(m emulator.Taken) {
		r.took(m)
		s.took(m)
	})}
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	work.Go(func() { _ = graph.Serve(listener) })
	s.start(ctx)
	progress := r.watch(ctx, &work)
	err = r.play(ctx, p)
	sentNs := r.now()
	if err == nil {
		r.settle(ctx)
	}
	cancel()
	_ = graph.Close()
	s.work.Wait()
	work.Wait()
	p.client.CloseIdleConnections()
	progress()
	if err != nil {
		return nil, err
	}
	if r.accepted.Load() == 0 {
		return nil, errors.New("simulate: no webhook was answered 200: is the bot running at --url?")
	}
	return r.report(sentNs), nil
}

// play posts all messages.
func (r *record) play(ctx context.Context, p *poster) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if r.options.Rate > 0 {
		r.playOpen(ctx, cancel, p)
	} else {
		r.playClosed(ctx, cancel, p)
	}
	return context.Cause(ctx)
}

// playClosed lets Concurrency groups at a time do their plans.
func (r *record) playClosed(ctx context.Context, cancel context.CancelCauseFunc, p *poster) {
	var next atomic.Int64
	var work sync.WaitGroup
	for range min(r.options.Concurrency, r.options.groups()) {
		work.Go(func() {
			for group := int(next.Add(1)) - 1; group < r.options.groups() && ctx.Err() == nil; group = int(next.Add(1)) - 1 {
				for _, s := range r.options.plan(group) {
					r.playStep(ctx, cancel, p, s)
				}
			}
		})
	}
	work.Wait()
}

// playOpen posts each step of each plan at its time: one step of every group, then the next.
func (r *record) playOpen(ctx context.Context, cancel context.CancelCauseFunc, p *poster) {
	groups := r.options.groups()
	plans := make([]plan, groups)
	longest := 0
	for group := range plans {
		plans[group] = r.options.plan(group)
		longest = max(longest, len(plans[group]))
	}
	var work sync.WaitGroup
	defer work.Wait()
	begin, sent := time.Now(), 0
	for k := range longest {
		for group := range plans {
			if k >= len(plans[group]) {
				continue
			}
			due := begin.Add(time.Duration(float64(sent) / r.options.Rate * float64(time.Second)))
			if wait := time.Until(due); wait > 0 {
				select {
				case <-time.After(wait):
				case <-ctx.Done():
					return
				}
			}
			for _, post := range plans[group][k] {
				sent += len(post.messages)
				work.Go(func() { r.playPost(ctx, cancel, p, post, due) })
			}
		}
	}
}

func (r *record) playStep(ctx context.Context, cancel context.CancelCauseFunc, p *poster, s step) {
	if len(s) == 1 {
		r.playPost(ctx, cancel, p, s[0], time.Now())
		return
	}
	var work sync.WaitGroup
	for _, post := range s {
		work.Go(func() { r.playPost(ctx, cancel, p, post, time.Now()) })
	}
	work.Wait()
}

// playPost posts one webhook, and where the plan says so the same once more.
func (r *record) playPost(ctx context.Context, cancel context.CancelCauseFunc, p *poster, what post, due time.Time) {
	messages := make([]emulator.Message, len(what.messages))
	for i, number := range what.messages {
		sent := due
		if what.swapped {
			sent = sent.Add(-2 * time.Second)
		}
		messages[i] = r.message(number, sent)
		m := &r.messages[number]
		m.postedNs, m.dueNs, m.sentS = r.now(), due.Sub(r.began).Nanoseconds(), sent.Unix()
	}
	w := p.sign(p.number.Messages(messages...))
	send := func(since time.Time) {
		ok, err := p.post(ctx, w, since)
		if err != nil {
			cancel(err)
		}
		if ok {
			r.acceptedAll(what.messages)
		}
	}
	switch {
	case what.again && !what.later:
		var twice sync.WaitGroup
		twice.Go(func() { send(due) })
		twice.Go(func() { send(due) })
		twice.Wait()
	case what.again:
		send(due)
		send(time.Now())
	default:
		send(due)
	}
}

// settle waits until every accepted message has its reply, or until nothing came for a while; then a little longer, for
// replies that should not come.
func (r *record) settle(ctx context.Context) {
	from := r.now()
	for r.outstanding() > 0 && time.Duration(r.now()-max(from, r.lastNs.Load())) < r.options.Settle {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return
		}
	}
	select {
	case <-time.After(500 * time.Millisecond):
	case <-ctx.Done():
	}
}

// watch prints a line every second; the returned function ends the last one.
func (r *record) watch(ctx context.Context, work *sync.WaitGroup) func() {
	if r.options.Progress == nil {
		return func() {}
	}
	work.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprintf(r.options.Progress, "\r%d of %d accepted, %d replied ", r.accepted.Load(), len(r.messages), r.replied.Load())
			case <-ctx.Done():
				return
			}
		}
	})
	return func() { fmt.Fprint(r.options.Progress, "\r\033[K") }
}
