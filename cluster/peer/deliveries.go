package peer

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/internal/pause"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

var (
	// ErrUnreachable: a call or a delivery did not reach the other node. Nothing was kept.
	ErrUnreachable = fmt.Errorf("peer: the node can't be reached: %w", delivery.ErrNotLeader)
	// errBroken: the connection broke while a delivery was in flight, or no outcome came in time.
	errBroken = fmt.Errorf("peer: the connection to the node broke: %w", delivery.ErrUnknownFate)
	// errBusy: too many deliveries are in flight to the other node.
	errBusy = fmt.Errorf("peer: too many deliveries are in flight to the node: %w", delivery.ErrOverloaded)
)

const (
	// deliveriesInFlight bounds what waits for one node's outcomes.
	deliveriesInFlight = 16384
	// deliveryBatch bounds what travels as one message of the stream, by number and about by size.
	deliveryBatch     = 256
	deliveryBatchSize = 1 << 20
	// outcomeWithin is how long an outcome is awaited: a node whose disk hangs answers all else.
	// Longer than the caller of a delivery waits.
	outcomeWithin = 8 * time.Second
)

// inFlight is a delivery whose outcome is awaited.
type inFlight struct {
	done  delivery.Done
	until time.Time
}

// deliveryStream carries deliveries to one node, in order, and their outcomes back. What comes
// while a message is being sent goes with the next one.
type deliveryStream struct {
	peers *Peers
	link  *link

	mu    sync.Mutex
	queue []*clusterv1.Delivery
	open  map[uint64]inFlight
	next  uint64
	wake  chan struct{}
	pulse pulse
	// asking: the next message asks for a sign of life.
	asking bool

	ctx     context.Context
	cancel  context.CancelFunc
	stopped sync.WaitGroup
}

func newDeliveryStream(p *Peers, l *link) *deliveryStream {
	s := &deliveryStream{peers: p, link: l, wake: make(chan struct{}, 1), open: map[uint64]inFlight{},
		pulse: newPulse()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.stopped.Go(s.run)
	s.stopped.Go(s.watch)
	return s
}

func (s *deliveryStream) stop() { s.cancel() }
func (s *deliveryStream) wait() { s.stopped.Wait() }

// send sends a delivery. done is called exactly once, on any goroutine, perhaps before send
// returns.
func (s *deliveryStream) send(d *clusterv1.Delivery, done delivery.Done) {
	s.mu.Lock()
	if reason := s.rejects(); reason != nil {
		s.mu.Unlock()
		done(delivery.Outcome{Err: reason})
		return
	}
	s.next++
	d.Id = s.next
	s.open[d.Id] = inFlight{done: done, until: time.Now().Add(outcomeWithin)}
	s.queue = append(s.queue, d)
	s.mu.Unlock()
	signal(s.wake)
}

// rejects is why nothing is sent now; nil where it is.
func (s *deliveryStream) rejects() error {
	switch {
	case s.ctx.Err() != nil || !s.pulse.alive():
		return ErrUnreachable
	case len(s.open) >= deliveriesInFlight:
		return errBusy
	}
	return nil
}

// run keeps a stream open as long as the link lasts.
func (s *deliveryStream) run() {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		worked := s.stream()
		if worked {
			wait = 20 * time.Millisecond
		}
		s.pulse.stop()
		s.fail()
		if s.ctx.Err() != nil {
			s.fail() // what came before the stop was seen
			return
		}
		pause.For(s.ctx, jitter(wait))
	}
}

// fail ends all that is in flight: what is still queued was not sent, the rest may have arrived.
func (s *deliveryStream) fail() {
	s.mu.Lock()
	queue, open := s.queue, s.open
	s.queue, s.open = nil, map[uint64]inFlight{}
	s.mu.Unlock()
	for _, d := range queue {
		if u, waits := open[d.Id]; waits { // not where the other side answered what it had not got
			delete(open, d.Id)
			u.done(delivery.Outcome{Err: ErrUnreachable})
		}
	}
	for _, u := range open {
		u.done(delivery.Outcome{Err: errBroken})
	}
}

// expire ends what was awaited for too long.
func (s *deliveryStream) expire(now time.Time) {
	var late []inFlight
	s.mu.Lock()
	for id, u := range s.open {
		if now.After(u.until) {
			late = append(late, u)
			delete(s.open, id)
		}
	}
	s.mu.Unlock()
	for _, u := range late {
		u.done(delivery.Outcome{Err: errBroken})
	}
}

// stream works until the stream breaks; true where it had been open.
func (s *deliveryStream) stream() (worked bool) {
	ctx, cancel := context.WithCancel(metadata.NewOutgoingContext(s.ctx, s.peers.outgoing()))
	defer cancel()
	stream, err := s.link.client.Deliver(ctx)
	if err != nil {
		return false
	}
	var receiving sync.WaitGroup
	defer receiving.Wait() // it writes the result
	defer cancel()
	s.ask()
	receiving.Go(func() {
		defer cancel()
		for {
			response, err := stream.Recv()
			if err != nil {
				return
			}
			worked = true
			s.pulse.beat()
			s.finish(response.GetOutcomes())
		}
	})
	for {
		select {
		case <-s.wake:
		case <-ctx.Done():
			return
		}
		for batch, asking := s.take(); len(batch) > 0 || asking; batch, asking = s.take() {
			if err := stream.Send(&clusterv1.DeliverRequest{Deliveries: batch}); err != nil {
				return
			}
		}
	}
}

// ask asks for a sign of life.
func (s *deliveryStream) ask() {
	s.mu.Lock()
	s.asking = true
	s.mu.Unlock()
	signal(s.wake)
}

// watch asks for signs of life, and gives up what is in flight where none come: the sending may
// block meanwhile, or the connecting.
func (s *deliveryStream) watch() {
	tick := time.NewTicker(pulseEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			s.expire(now)
		case <-s.ctx.Done():
			return
		}
		if !s.pulse.alive() && s.pulse.stop() {
			s.fail()
		}
		if s.pulse.silence() >= pulseEvery {
			s.ask()
		}
	}
}

// take takes what is sent next, and whether to ask for a sign of life: an empty message
// does.
func (s *deliveryStream) take() (batch []*clusterv1.Delivery, asking bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	asking, s.asking = s.asking, false
	n, size := 0, 0
	for n < len(s.queue) && n < deliveryBatch && size < deliveryBatchSize {
		size += 256 + len(s.queue[n].GetInbound().GetMessage().GetRaw())
		n++
	}
	batch = s.queue[:n:n]
	if s.queue = s.queue[n:]; len(s.queue) == 0 {
		s.queue = nil
	}
	return batch, asking && n == 0
}

func (s *deliveryStream) finish(outcomes []*clusterv1.Outcome) {
	for _, o := range outcomes {
		s.mu.Lock()
		u, waits := s.open[o.GetId()]
		delete(s.open, o.GetId())
		s.mu.Unlock()
		if waits {
			u.done(delivery.DecodeOutcome(o))
		}
	}
}

// Send sends an envelope to another node; with relay, for that node to pass on to the leader, which
// this one can't reach. The outcome is the one that the node found, or delivery.ErrNotLeader,
// ErrUnknownFate or ErrOverloaded where the way there failed. Envelopes by one goroutine keep their
// order. It does not block, and may call done before it returns.
func (p *Peers) Send(node uint64, e delivery.Envelope, relay bool, done delivery.Done) {
	l := p.links.to(node)
	if l == nil {
		done(delivery.Outcome{Err: ErrUnreachable})
		return
	}
	d := e.Encode()
	d.Relay = relay
	l.work.send(d, done)
}

// Deliver takes deliveries of another node, in order, and sends back what becomes of them, in any.
func (s *service) Deliver(stream grpc.BidiStreamingServer[clusterv1.DeliverRequest, clusterv1.DeliverResponse]) error {
	from, err := s.peer(stream.Context())
	if err != nil {
		return err
	}
	out := &outcomes{wake: make(chan struct{}, 1)}
	var sending sync.WaitGroup
	ctx, cancel := context.WithCancel(stream.Context())
	defer sending.Wait()
	defer cancel()
	sending.Go(func() { out.send(ctx, stream) })
	for {
		request, err := stream.Recv()
		if err != nil {
			return status.Error(codes.Unavailable, "the stream is over")
		}
		if err := s.mayCall(from); err != nil {
			return err
		}
		if len(request.GetDeliveries()) == 0 {
			out.live()
		}
		for _, d := range request.GetDeliveries() {
			s.take(d, out)
		}
	}
}

// take hands one delivery of another node over.
func (s *service) take(d *clusterv1.Delivery, out *outcomes) {
	id := d.GetId()
	e, err := delivery.Decode(d)
	if err != nil {
		s.peers.options.Logger.Warn("a delivery of another node can't be read", "error", err)
		out.add(delivery.Outcome{Err: err}.Encode(id))
		return
	}
	s.peers.options.Work.Deliver(e, d.GetRelay(), func(o delivery.Outcome) { out.add(o.Encode(id)) })
}

// outcomes waits for those of one stream's deliveries. One that comes after the stream's end is
// dropped: the other node knows that it can't know.
type outcomes struct {
	mu      sync.Mutex
	waiting []*clusterv1.Outcome
	asked   bool // for a sign of life
	wake    chan struct{}
}

func (o *outcomes) add(outcome *clusterv1.Outcome) {
	o.mu.Lock()
	o.waiting = append(o.waiting, outcome)
	o.mu.Unlock()
	signal(o.wake)
}

// live gives a sign of life.
func (o *outcomes) live() {
	o.mu.Lock()
	o.asked = true
	o.mu.Unlock()
	signal(o.wake)
}

func (o *outcomes) send(ctx context.Context, stream grpc.BidiStreamingServer[clusterv1.DeliverRequest,
	clusterv1.DeliverResponse]) {
	for {
		select {
		case <-o.wake:
		case <-ctx.Done():
			return
		}
		o.mu.Lock()
		waiting, asked := o.waiting, o.asked
		o.waiting, o.asked = nil, false
		o.mu.Unlock()
		if (len(waiting) > 0 || asked) && stream.Send(&clusterv1.DeliverResponse{Outcomes: waiting}) != nil {
			return
		}
	}
}
