package gateway

import (
	"errors"
	"sync"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
)

// outcomes collects those of all deliveries of one webhook.
type outcomes struct {
	metrics *metrics
	done    chan struct{} // closed with the last one

	mu      sync.Mutex
	missing int
	worst   answer
	givenUp bool // the webhook was answered
}

func newOutcomes(n int, m *metrics) *outcomes {
	return &outcomes{metrics: m, done: make(chan struct{}), missing: n, worst: answerOK}
}

// add takes one outcome, on any goroutine.
func (o *outcomes) add(got delivery.Outcome) { o.take(got, 0) }

// take takes one outcome, and with it those of the deliveries that wait for it where they won't be
// tried; it reports whether they will be.
func (o *outcomes) take(got delivery.Outcome, waiting int) (goOn bool) {
	result := classify(got)
	if got.Err == nil {
		o.metrics.messages.WithLabelValues(got.Verdict.String()).Inc()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.worst.status == answerOK.status {
		o.worst = result
	}
	o.missing--
	if goOn = result.status == answerOK.status && !o.givenUp; !goOn {
		o.missing -= waiting
	}
	if o.missing == 0 {
		close(o.done)
	}
	return goOn
}

// giveUp keeps what was not tried yet from being tried.
func (o *outcomes) giveUp() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.givenUp = true
}

func (o *outcomes) answer() answer {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.worst
}

func classify(o delivery.Outcome) answer {
	switch {
	case o.Err == nil && o.Verdict != conversation.Overloaded:
		return answerOK
	case o.Err == nil || errors.Is(o.Err, delivery.ErrOverloaded):
		return answerOverloaded
	case errors.Is(o.Err, delivery.ErrUnknownFate):
		return answerUnknownOutcome
	}
	return answerUnavailable
}
