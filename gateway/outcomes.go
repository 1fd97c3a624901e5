package gateway

import (
	"errors"
	"sync"

	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/conversation"
)

// outcomes collects those of all deliveries of one webhook.
type outcomes struct {
	metrics *metrics
	done    chan struct{} // closed with the last one

	mu      sync.Mutex
	missing int
	worst   answer
	givenUp bool // nobody waits for them any more
}

func newOutcomes(n int, m *metrics) *outcomes {
	return &outcomes{metrics: m, done: make(chan struct{}), missing: n, worst: answerOK}
}

// add takes one outcome, on any goroutine.
func (o *outcomes) add(verdict conversation.Verdict, err error) { o.take(verdict, err, 0) }

// take takes one outcome, and with it those of the deliveries that wait for it where they won't be
// tried; it reports whether they shall be.
func (o *outcomes) take(verdict conversation.Verdict, err error, waiting int) (goOn bool) {
	result := classify(verdict, err)
	if err == nil {
		o.metrics.messages.WithLabelValues(verdict.String()).Inc()
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

func classify(verdict conversation.Verdict, err error) answer {
	switch {
	case err == nil && verdict != conversation.Overloaded:
		return answerOK
	case err == nil || errors.Is(err, actors.ErrOverloaded):
		return answerOverloaded
	case errors.Is(err, actors.ErrUnknownFate):
		return answerUnknownOutcome
	}
	return answerUnavailable
}
