package node

import (
	"errors"
	"testing"

	"github.com/wactor/wactor/cluster/routing"
	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// taker takes every delivery.
type taker struct{ routing.Local }

// Deliver implements routing.Local.
func (taker) Deliver(_ delivery.Envelope, done delivery.Done) { done(delivery.Outcome{}) }

// TestFullDiskTakesNoNewMessages: with little room left a message is rejected as by an overloaded
// node, and anything else is not.
func TestFullDiskTakesNoNewMessages(t *testing.T) {
	full := true
	h := here{Local: taker{}, full: func() bool { return full }}
	to := conversation.ID{Channel: "shop", User: "1"}
	outcome := func(body delivery.Body) (err error) {
		h.Deliver(delivery.Envelope{To: to, Body: body}, func(o delivery.Outcome) { err = o.Err })
		return err
	}
	if err := outcome(delivery.Inbound{Message: &wactorv1.Message{}}); !errors.Is(err, delivery.ErrOverloaded) {
		t.Errorf("a message to a full disk: %v", err)
	}
	if err := outcome(delivery.Status{}); err != nil {
		t.Errorf("a status to a full disk: %v", err)
	}
	full = false
	if err := outcome(delivery.Inbound{Message: &wactorv1.Message{}}); err != nil {
		t.Errorf("a message once there is room: %v", err)
	}
}
