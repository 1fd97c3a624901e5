package sim

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/cluster/routing"
	"github.com/wactor/wactor/delivery"
)

// newRouter makes the router of a process.
func (p *process) newRouter() *routing.Router {
	return routing.New(routing.Options{
		Self: p.id, Local: local{p}, Peers: peers{p}, Clock: clockOf{p}, Settled: p.settled,
		Random: p.w.rng.Uint64, Registerer: unregistered{},
	})
}

// settled reports whether the cluster was formed once, as far as this node knows.
func (p *process) settled() bool {
	return p.control == nil || p.store.Settled() || p.control.Known().GetSettled()
}

// unregistered is a registry that takes no notice.
type unregistered struct{ prometheus.Registerer }

// MustRegister implements prometheus.Registerer.
func (unregistered) MustRegister(...prometheus.Collector) {}

// clockOf is the routing.Clock of a process.
type clockOf struct{ p *process }

// Now implements routing.Clock.
func (c clockOf) Now() time.Time { return c.p.scheduler.Now() }

// AfterFunc implements routing.Clock.
func (c clockOf) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return c.p.scheduler.After(d, f).Stop
}

// peers are the other nodes as a router sees them. Who leads a shard is known from its replica
// here, else by gossip.
type peers struct{ p *process }

// Leader implements routing.Peers.
func (s peers) Leader(shard uint32) uint64 {
	if leader := s.p.leads[shard].Node; leader != 0 {
		return leader
	}
	if hint := s.p.w.hints[shard]; hint != nil {
		return hint.id
	}
	return 0
}

// Wanted implements routing.Peers.
func (s peers) Wanted(shard uint32) []uint64 {
	if s.p.control != nil {
		return s.p.control.Wanted(shard)
	}
	if int(shard) > len(s.p.w.operators) {
		return nil
	}
	return ids(s.p.w.operators[shard-1].wanted)
}

// Lost implements routing.Peers.
func (peers) Lost(uint64) bool { return false }

// Relays implements routing.Peers.
func (peers) Relays(uint32, uint64) []uint64 { return nil }

// Isolated implements routing.Peers.
func (peers) Isolated() time.Duration { return 0 }

// Send implements routing.Peers.
func (s peers) Send(to uint64, e delivery.Envelope, relay bool, done delivery.Done) {
	p, n := s.p, s.p.w.nodeOf[to]
	if n == nil {
		p.in(0, func() { done(delivery.Outcome{Err: delivery.ErrNotLeader}) })
		return
	}
	if p.streams[n.index] == nil {
		p.streams[n.index] = &stream{from: p, to: n, peer: n.proc}
	}
	p.w.record.comment("node %d sends %s to node %d", p.index, describe(e), n.index)
	p.streams[n.index].send(e, relay, done)
}
