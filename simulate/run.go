package simulate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/wactor/wactor/internal/pause"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// Run plays the users and returns what came of it. It fails where the run itself is not possible:
// the webhook can't be reached or refuses everything, the Graph API's address is taken, ctx ends. A
// bot that does wrong is no error; Report.Violations counts.
func Run(ctx context.Context, o Options) (*Report, error) {
	to, err := o.check()
	if err != nil {
		return nil, err
	}
	if err := awaitServer(ctx, &o, to); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", o.Graph)
	if err != nil {
		return nil, fmt.Errorf("simulate: the fake Graph API can't listen: %w", err)
	}
	r := newRecord(&o, strconv.FormatInt(time.Now().UnixMilli(), 36))
	p := newPoster(&o, r, to)
	s := newStatuses(&o, p)
	graph := newGraph(&o, func(t emulator.Taken) {
		r.took(t)
		s.took(t)
	})
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	graph.serve(listener)
	s.start(inner)
	floods := &flood{record: r, poster: p}
	floods.start(inner)
	var watching sync.WaitGroup
	watching.Go(func() { r.watch(inner) })
	err = r.drive(inner, p)
	sentNs := r.now()
	if err == nil {
		r.settle(inner)
	}
	cancel()
	p.connections.close()
	graph.close()
	s.work.Wait()
	floods.work.Wait()
	watching.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("simulate: interrupted: %w", context.Cause(ctx))
	case err != nil:
		return nil, err
	case r.accepted.Load() == 0:
		return nil, errors.New("simulate: no webhook was answered 200: is the bot running at --url?")
	}
	report := r.report(sentNs)
	report.StatusesDropped, report.Flood = int(s.dropped.Load()), floods.report()
	report.GraphRequests = int(graph.asked.Load())
	return report, nil
}

// drive posts all messages.
func (r *record) drive(ctx context.Context, p *poster) error {
	first, err := p.connections.dial(ctx)
	if err != nil {
		return fmt.Errorf("simulate: --url can't be reached: is the bot running there? %w", err)
	}
	p.connections.put(first, true)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d := driver{record: r, poster: p, cancel: cancel}
	if r.options.Rate > 0 {
		d.open(ctx)
	} else {
		d.closed(ctx)
	}
	if cause := context.Cause(ctx); !errors.Is(cause, errSilent) {
		return cause
	}
	return nil // what was accepted before can be judged
}

// settle waits until every accepted message has its reply, or until nothing came for a while; then
// a little longer, for replies that should not come.
func (r *record) settle(ctx context.Context) {
	const look, longer = 20 * time.Millisecond, 500 * time.Millisecond
	from := r.now()
	for r.outstanding() > 0 && time.Duration(r.now()-max(from, r.lastNs.Load())) < r.options.Settle &&
		ctx.Err() == nil {
		pause.For(ctx, look)
	}
	pause.For(ctx, longer)
}

// watch prints a line every second until ctx ends.
func (r *record) watch(ctx context.Context) {
	if r.options.Progress == nil {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for before := int64(0); ; {
		select {
		case <-tick.C:
			replied := r.replied.Load()
			fmt.Fprintf(r.options.Progress, "\r\033[K%.0f s: %d posted, %d accepted, %d replied, %d a second",
				time.Since(r.began).Seconds(), r.posted.Load(), r.accepted.Load(), replied, replied-before)
			before = replied
		case <-ctx.Done():
			fmt.Fprint(r.options.Progress, "\r\033[K")
			return
		}
	}
}
