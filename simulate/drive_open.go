package simulate

import (
	"context"
	"sync"
	"time"
)

// open posts each step at its time: one step of every group, then the next. Latencies count from
// those times, so that a bot that answers late is not asked less.
func (d *driver) open(ctx context.Context) {
	o := d.record.options
	lines := make([]line, o.groups())
	for group := range lines {
		lines[group].script = o.script(group)
	}
	var work sync.WaitGroup
	defer work.Wait()
	begin, sent := time.Now(), 0
	for posted := true; posted; {
		posted = false
		for i := range lines {
			due := time.Duration(float64(sent) / o.Rate * float64(time.Second))
			if o.Duration > 0 && due >= o.Duration {
				return
			}
			if !d.rest(ctx, time.Until(begin.Add(due))) {
				return
			}
			posts := lines[i].script.step()
			for _, p := range posts {
				sent += len(p.messages)
			}
			if len(posts) > 0 {
				posted = true
				d.arrive(ctx, &work, &lines[i], arrival{posts, begin.Add(due)})
			}
		}
	}
}

// line is where the steps of one group wait for those before them, in the patterns that want it.
type line struct {
	script *script

	mu      sync.Mutex
	waiting []arrival
	busy    bool
}

// arrival is a step whose time has come.
type arrival struct {
	posts []post
	due   time.Time
}

// arrive posts a step whose time has come. In the patterns Steady and Pairs it waits for the
// replies to the step before, and is then late.
func (d *driver) arrive(ctx context.Context, work *sync.WaitGroup, l *line, a arrival) {
	if pattern := d.record.options.Pattern; pattern != Steady && pattern != Pairs {
		posts := d.prepare(a.posts, a.due)
		work.Go(func() { d.post(ctx, posts) })
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, a)
	if !l.busy {
		l.busy = true
		work.Go(func() { d.serve(ctx, l) })
	}
}

// serve posts the steps of a line until it is empty.
func (d *driver) serve(ctx context.Context, l *line) {
	for {
		l.mu.Lock()
		if len(l.waiting) == 0 || ctx.Err() != nil || d.stopped() {
			l.busy = false
			l.mu.Unlock()
			return
		}
		next := l.waiting[0]
		l.waiting = l.waiting[1:]
		l.mu.Unlock()
		d.post(ctx, d.prepare(next.posts, next.due))
		d.await(ctx, l.script)
	}
}
