package gateway

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/provider"
)

// answer is what a webhook is answered with.
type answer struct {
	status  int
	verdict string // for metrics
	text    string
}

var (
	answerOK        = answer{http.StatusOK, "ok", ""}
	answerNoChannel = answer{http.StatusNotFound, "unknown_channel", "unknown channel"}
	answerSignature = answer{http.StatusUnauthorized, "bad_signature",
		"the signature is missing or not made with this channel's app secret"}
	answerToken          = answer{http.StatusForbidden, "bad_token", "the verify token is not that of this channel"}
	answerTooLarge       = answer{http.StatusRequestEntityTooLarge, "too_large", "the body is too large"}
	answerSlow           = answer{http.StatusRequestTimeout, "slow", "the body came too slowly"}
	answerBroken         = answer{http.StatusBadRequest, "broken", "the body could not be read"}
	answerOverloaded     = answer{http.StatusServiceUnavailable, "overloaded", "overloaded, send again"}
	answerUnavailable    = answer{http.StatusServiceUnavailable, "unavailable", "not kept, send again"}
	answerUnknownOutcome = answer{http.StatusServiceUnavailable, "unknown", "the outcome is unknown, send again"}
)

var answers = []answer{
	answerOK, answerNoChannel, answerSignature, answerTooLarge, answerSlow, answerBroken, answerOverloaded,
	answerUnavailable, answerUnknownOutcome,
}

func (g *Gateway) webhook(w http.ResponseWriter, r *http.Request) {
	began := g.options.Now()
	s := g.setup.Load()
	a := g.take(w, r, s, began)
	g.metrics.webhook(a.verdict, g.options.Now().Sub(began))
	if remedies[a.verdict] != "" {
		g.notices.rejected(s.byName[r.PathValue("channel")], a)
	}
	if a.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	if a.status != http.StatusOK { // which says all: a body would need headers, which net/http copies
		http.Error(w, a.text, a.status)
	}
}

// take takes a webhook from its bytes to stable storage.
func (g *Gateway) take(w http.ResponseWriter, r *http.Request, s *setup, now time.Time) answer {
	channel := s.byName[r.PathValue("channel")]
	if channel == nil {
		return answerNoChannel
	}
	signature, ok := channel.Codec.Signature(r.Header)
	if !ok {
		return answerSignature
	}
	if r.ContentLength > s.MaxBody {
		return answerTooLarge
	}
	if g.inFlight.Load() >= s.MaxInFlight {
		return answerOverloaded // before it costs anything
	}
	body, done, err := g.arrive(w, r, s.MaxBody, signature)
	defer done()
	if err != nil {
		return readAnswer(err)
	}
	if body == nil {
		return answerSignature
	}
	if trust := trustOf(r.Context()); !trust.shown.Load() {
		trust.shown.Store(true)
	}
	defer g.inFlight.Add(-1)
	defer g.inFlightBytes.Add(-int64(len(body)))
	if g.inFlight.Add(1) > s.MaxInFlight ||
		g.inFlightBytes.Add(int64(len(body))) > s.MaxInFlightBytes {
		return answerOverloaded
	}
	g.notices.arrived(channel, s.seen[channel.Name])
	return g.deliver(r.Context(), g.sort(s, channel, r.Header, body, now))
}

// arrive reads the body, nil where its signature is wrong; done gives its memory back.
func (g *Gateway) arrive(w http.ResponseWriter, r *http.Request, most int64, signature provider.Signature) (body []byte,
	done func(), err error) {
	a := &arrival{room: g.room, trusted: trustOf(r.Context()).shown.Load(), control: http.NewResponseController(w)}
	err = a.read(http.MaxBytesReader(w, r.Body, most), signature)
	g.room.leave(a)
	if err == nil && signature.Authentic() {
		body = a.bytes()
	}
	return body, a.free, err
}

func readAnswer(err error) answer {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return answerTooLarge
	case errors.Is(err, errTooManyBytes):
		return answerOverloaded
	case errors.Is(err, os.ErrDeadlineExceeded):
		return answerSlow
	}
	return answerBroken
}

// deliver hands everything to its conversations and waits for all outcomes. What one conversation
// gets goes there one after the other (queue.go); conversations do not wait for each other.
func (g *Gateway) deliver(ctx context.Context, deliveries []delivery.Envelope) answer {
	if len(deliveries) == 0 {
		return answerOK
	}
	timeout := time.NewTimer(g.options.Timeout) // a context of its own would cost more than all else here
	defer timeout.Stop()
	all := newOutcomes(len(deliveries), g.metrics)
	if len(deliveries) == 1 {
		g.options.Router.Deliver(deliveries[0], all.add)
	} else {
		for _, q := range queuesOf(deliveries, all, g.options.Router) {
			q.next()
		}
	}
	select {
	case <-all.done:
		return all.answer()
	case <-timeout.C:
	case <-ctx.Done():
	}
	all.giveUp()
	return answerUnknownOutcome
}
