package simulate

import (
	"context"
	"sync"
	"time"

	"github.com/wactor/wactor/internal/pause"
)

// driver posts what the scripts tell.
type driver struct {
	record *record
	poster *poster
	// cancel ends the run for a reason.
	cancel context.CancelCauseFunc
}

// closed lets Concurrency groups at a time do a step: they post it, and wait until everything in it
// has its reply. Then it is the turn of the group that has waited longest.
func (d *driver) closed(ctx context.Context) {
	o := d.record.options
	turns := make(chan *script, o.groups())
	for group := range o.groups() {
		turns <- o.script(group)
	}
	over := func() bool { return d.stopped() || o.Duration > 0 && time.Since(d.record.began) >= o.Duration }
	var work sync.WaitGroup
	defer work.Wait()
	for range min(o.Concurrency, o.groups()) {
		work.Go(func() {
			for ctx.Err() == nil && !over() {
				select {
				case s := <-turns:
					if d.turn(ctx, s) {
						turns <- s
					}
				default:
					return // the last groups are at their last steps
				}
			}
		})
	}
}

// stopped reports whether no user is to write any more.
func (d *driver) stopped() bool {
	select {
	case <-d.record.options.Stop:
		return true
	default:
		return false
	}
}

// rest waits; false where no user is to write any more.
func (d *driver) rest(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.record.options.Stop:
	case <-ctx.Done():
	}
	return ctx.Err() == nil && !d.stopped()
}

// turn does one step of a script; false where it has ended.
func (d *driver) turn(ctx context.Context, s *script) bool {
	posts := s.step()
	if len(posts) == 0 {
		return false
	}
	if d.record.options.Gap > 0 {
		d.spread(ctx, posts)
	} else {
		d.post(ctx, d.prepare(posts, time.Now()))
	}
	d.await(ctx, s)
	return true
}

// spread makes the posts of one step one after the other, each at its time and whether or not the
// one before was answered.
func (d *driver) spread(ctx context.Context, posts []post) {
	var work sync.WaitGroup
	defer work.Wait()
	for i := range posts {
		if !pause.For(ctx, posts[i].after) {
			return
		}
		one := d.prepare(posts[i:i+1], time.Now())
		work.Go(func() { d.post(ctx, one) })
	}
}

func (d *driver) await(ctx context.Context, s *script) {
	for _, user := range s.users {
		d.record.users[user].await(ctx, d.record.options.Settle)
	}
}

// prepared is a post whose webhook is ready.
type prepared struct {
	post
	webhook webhook
	due     time.Time
}

// prepare writes the webhooks of one step, in the order of their posting, which tells the times of
// what was swapped.
func (d *driver) prepare(posts []post, due time.Time) []prepared {
	out := make([]prepared, len(posts))
	for i, p := range posts {
		out[i] = prepared{p, d.poster.sign(d.poster.number.Messages(d.record.write(p, due)...)), due}
	}
	return out
}

// post makes the posts of one step at once, and returns when all are answered 200 or given up.
func (d *driver) post(ctx context.Context, posts []prepared) {
	for i := range posts {
		d.change(ctx, &posts[i])
	}
	var work sync.WaitGroup
	defer work.Wait()
	for i := range posts {
		p := &posts[i]
		if p.again && !p.later {
			work.Go(func() { d.send(ctx, p, p.due) })
		}
		if i == len(posts)-1 {
			d.sendAll(ctx, p)
		} else {
			work.Go(func() { d.sendAll(ctx, p) })
		}
	}
}

// sendAll posts a webhook, and the same once more where that comes later.
func (d *driver) sendAll(ctx context.Context, p *prepared) {
	d.send(ctx, p, p.due)
	if p.later {
		d.send(ctx, p, time.Now())
	}
}

func (d *driver) send(ctx context.Context, p *prepared, since time.Time) {
	ok, err := d.poster.post(ctx, p.webhook)
	if err != nil {
		d.cancel(err)
	}
	if ok {
		d.record.acceptedAll(p.messages, time.Since(since))
	}
}
