package routing

import (
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// BenchmarkDeliver is the router's part of the way of a message to a conversation of this node.
func BenchmarkDeliver(b *testing.B) {
	l := local{leads: &atomic.Bool{}, order: &delivery.Order{}}
	l.leads.Store(true)
	r := New(Options{
		Self: 1, Local: l, Peers: &peers{}, Clock: systemClock{}, Settled: func() bool { return true },
		Registerer: prometheus.NewRegistry(),
	})
	e := delivery.Envelope{To: conversation.ID{Channel: "shop", User: "4915112345678"}, Body: delivery.Inbound{
		Message: &wactorv1.Message{Id: "m"},
	}}
	b.ReportAllocs()
	for b.Loop() {
		r.Deliver(e, func(delivery.Outcome) {})
	}
}
