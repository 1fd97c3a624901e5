package gateway

import (
	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/provider"
)

// queue is what one webhook holds for one conversation, in its order. Each delivery waits until the
// one before is kept: were all passed on at once, the first could be rejected while the leader of
// the shard changes, and the second be taken. When one fails, those behind it are not tried. The
// provider sends the whole again, finds the first ones to be duplicates, and goes on where this
// attempt ended.
type queue struct {
	all     *outcomes
	router  Router
	waiting []delivery.Envelope
}

// queuesOf sorts deliveries by their conversations. What could not be read has no order.
func queuesOf(deliveries []delivery.Envelope, all *outcomes, router Router) []*queue {
	queues := make([]*queue, 0, len(deliveries))
	of := make(map[conversation.ID]*queue, len(deliveries))
	for _, e := range deliveries {
		q := of[e.To]
		if q == nil || e.To.User == provider.UnreadUser {
			q = &queue{all: all, router: router}
			of[e.To] = q
			queues = append(queues, q)
		}
		q.waiting = append(q.waiting, e)
	}
	return queues
}

// next hands the first delivery over.
func (q *queue) next() {
	e := q.waiting[0]
	q.waiting = q.waiting[1:]
	q.router.Deliver(e, func(o delivery.Outcome) {
		if q.all.take(o, len(q.waiting)) && len(q.waiting) > 0 {
			q.next()
		}
	})
}
