package gateway

import (
	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/provider"
)

// line is what one webhook holds for one conversation, in its order. Each delivery waits until the
// one before is kept: handed over at once, the first could be refused while the lead of the shard
// changes, and the second be taken. When one fails, those behind it are not tried. The provider
// sends the whole again, finds the first ones to be duplicates, and goes on where this try ended.
type line struct {
	all     *outcomes
	router  Router
	waiting []*actors.Delivery
}

// linesOf sorts deliveries by their conversations. What nobody understood has no order.
func linesOf(deliveries []*actors.Delivery, all *outcomes, router Router) []*line {
	lines := make([]*line, 0, len(deliveries))
	of := make(map[conversation.ID]*line, len(deliveries))
	for _, d := range deliveries {
		l := of[d.Conversation]
		if l == nil || d.Conversation.User == provider.UnreadUser {
			l = &line{all: all, router: router}
			of[d.Conversation] = l
			lines = append(lines, l)
		}
		l.waiting = append(l.waiting, d)
	}
	return lines
}

// next hands the first delivery over.
func (l *line) next() {
	d := l.waiting[0]
	l.waiting = l.waiting[1:]
	d.Done = func(verdict conversation.Verdict, err error) {
		if l.all.take(verdict, err, len(l.waiting)) && len(l.waiting) > 0 {
			l.next()
		}
	}
	l.router.Deliver(d)
}
