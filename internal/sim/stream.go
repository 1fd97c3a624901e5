package sim

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/delivery"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// stream takes deliveries from a process to one of another node, and their outcomes back, each in
// order. What is lost breaks it, as it would a connection: nothing that was sent behind arrives,
// and a while later the sender notices.
type stream struct {
	from *process
	to   *node
	peer *process // at its other end; nil where none was there
	// calls are not answered.
	calls  []*call
	broken bool
	// last is when the newest delivery arrives, and the newest outcome.
	last [2]time.Duration
}

// call is a delivery that is not answered.
type call struct{ done delivery.Done }

func (s *stream) send(e delivery.Envelope, relay bool, done delivery.Done) {
	c := &call{done}
	s.calls = append(s.calls, c)
	encoded := proto.CloneOf(e.Encode())
	s.pass(0, s.from.node, s.to, func() {
		if s.to.proc != s.peer || s.peer == nil {
			s.lose()
			return
		}
		s.to.arrive(func(q *process) { s.receive(q, c, encoded, relay) })
	})
}

// receive is called at the other end.
func (s *stream) receive(q *process, c *call, encoded *clusterv1.Delivery, relay bool) {
	e, err := delivery.Decode(encoded)
	if err != nil {
		s.from.w.fail("node %d can't read a delivery: %v", q.index, err)
		return
	}
	answered := false
	q.router.Receive(e, relay, func(o delivery.Outcome) {
		if answered {
			s.from.w.fail("a delivery was answered twice")
		}
		answered = true
		if q.dead.Load() {
			return
		}
		outcome := o.Encode(0)
		s.pass(1, q.node, s.from.node, func() {
			s.from.arrive(func(p *process) {
				if p == s.from {
					s.answer(c, delivery.DecodeOutcome(outcome))
				}
			})
		})
	})
}

func (s *stream) answer(c *call, o delivery.Outcome) {
	for i, waiting := range s.calls {
		if waiting == c {
			s.calls = append(s.calls[:i:i], s.calls[i+1:]...)
			c.done(o)
			return
		}
	}
}

// pass lets something arrive behind what was passed in the same direction before, or breaks the
// stream.
func (s *stream) pass(direction int, from, to *node, arrive func()) {
	w := s.from.w
	n := &w.network
	if s.broken {
		return
	}
	if from != to && (n.cuts[from.index][to.index] > 0 || w.rng.Float64() < n.loss/4) {
		s.lose()
		return
	}
	at := max(w.now+n.delay(from, to), s.last[direction])
	s.last[direction] = at
	w.after(at-w.now, func() {
		if !s.broken {
			arrive()
		}
	})
}

// lose breaks the stream.
func (s *stream) lose() {
	if s.broken {
		return
	}
	s.broken = true
	p := s.from
	p.in(p.w.between(time.Millisecond, 600*time.Millisecond), func() {
		if p.streams[s.to.index] == s {
			p.streams[s.to.index] = nil
		}
		calls := s.calls
		s.calls = nil
		for _, c := range calls {
			c.done(delivery.Outcome{Err: delivery.ErrUnknownFate})
		}
	})
}

// describe names an envelope for readers.
func describe(e delivery.Envelope) string {
	if message := e.Message(); message != nil {
		return "message " + message.Id + " to " + e.To.User
	}
	return fmt.Sprintf("%T to %s", e.Body, e.To.User)
}

// breakStreams breaks the streams of others to a process that has died.
func (p *process) breakStreams() {
	for _, n := range p.w.nodes {
		if n.proc == nil {
			continue
		}
		if s := n.proc.streams[p.index]; s != nil && s.peer == p {
			s.lose()
		}
	}
}
