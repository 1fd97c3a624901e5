// Package gateway is the public listener: webhooks in, verdicts out.
//
// It verifies, parses, routes and answers, and holds no state: any node takes any webhook. A
// webhook is answered 200 only when everything in it is on stable storage; whatever is signed but
// not understood is kept as a dead letter and answered 200 too, since the provider would send it
// again for days, and with it all that shares its POST.
//
//	200  everything is kept (or was before)
//	400  the body could not be read
//	401  no signature, or one that no secret of the channel made
//	403  a verification request with the wrong token
//	404  no such channel
//	408  the body came too slowly
//	413  the body is larger than the limit
//	503  not everything could be kept: overload, shutdown, an unknown outcome; the provider sends the whole again
//
// Read webhook.go next.
package gateway

import (
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/provider"
)

// Router takes deliveries to their conversations. Deliver never blocks; deliveries of one
// conversation by one goroutine keep their order.
type Router interface {
	Deliver(delivery.Envelope, delivery.Done)
}

// Channel is what the gateway must know of a channel.
type Channel struct {
	Name string
	// Provider tells apart numbers that two providers name alike.
	Provider string
	// Number is the provider's id of the business number, whose parts of a webhook belong to this
	// channel.
	Number string
	// IgnoreNumbers are business numbers of the same account that other programs serve: what comes
	// for them is acknowledged without a word.
	IgnoreNumbers []string
	Codec         provider.Codec
}

// company is who runs the provider, for logs.
func (c *Channel) company() string { return c.Codec.Capabilities().Company }

// number names a business number.
type number struct{ provider, id string }

// Options configure a Gateway.
type Options struct {
	Router Router
	// Channels are those to begin with.
	Channels []Channel
	// StatusCame, where set, is called for each delivery status of a channel, also of messages that
	// another program sent: the provider's webhooks arrive. It must not block.
	StatusCame func(channel string)
	// Node names this node in journals.
	Node string
	// Limits are those to begin with.
	Limits
	// Timeout bounds the wait for the outcome. Default 10 s.
	Timeout time.Duration
	// Now is the clock. Default time.Now.
	Now        func() time.Time
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

func (o Options) withDefaults() Options {
	o.Limits = o.Limits.withDefaults()
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Gateway is an http.Handler for /webhooks/{channel}.
type Gateway struct {
	options Options
	mux     *http.ServeMux
	metrics *metrics
	notices *notices
	room    *room
	setup   atomic.Pointer[setup]

	inFlight, inFlightBytes atomic.Int64
}

// New returns a Gateway.
func New(options Options) *Gateway {
	g := &Gateway{options: options.withDefaults(), mux: http.NewServeMux()}
	g.metrics = newMetrics(g.options.Registerer)
	g.room = newRoom()
	g.notices = newNotices(g.options.Logger, g.options.Now)
	g.Set(g.options.Channels, g.options.Limits)
	for _, path := range []string{"/webhooks/{channel}", "/webhooks/{channel}/{$}"} { // people type a slash behind it
		g.mux.HandleFunc("GET "+path, g.handshake)
		g.mux.HandleFunc("POST "+path, g.webhook)
	}
	for _, method := range []string{"GET", "POST"} {
		g.mux.HandleFunc(method+" /webhooks/", func(w http.ResponseWriter, r *http.Request) {
			g.notices.rejected(nil, answerNoChannel)
			http.NotFound(w, r)
		})
	}
	return g
}

func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.mux.ServeHTTP(w, r) }

// handshake answers the provider's verification of the callback address.
func (g *Gateway) handshake(w http.ResponseWriter, r *http.Request) {
	channel := g.setup.Load().byName[r.PathValue("channel")]
	if channel == nil {
		g.notices.rejected(nil, answerNoChannel)
		http.Error(w, answerNoChannel.text, answerNoChannel.status)
		return
	}
	challenge, ok := channel.Codec.Challenge(r.URL.Query())
	if !ok {
		g.notices.rejected(channel, answerToken)
		http.Error(w, answerToken.text, answerToken.status)
		return
	}
	g.notices.verified(channel)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(challenge)
}
