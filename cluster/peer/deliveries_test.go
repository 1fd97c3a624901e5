package peer

import (
	"errors"
	"testing"
	"time"

	"github.com/wactor/wactor/delivery"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// TestOutcomesAreAwaitedForSoLong proves that a node that lives but never answers a delivery holds
// it up for a while only, and that a later answer reaches no caller.
func TestOutcomesAreAwaitedForSoLong(t *testing.T) {
	s := &deliveryStream{pulse: newPulse(), wake: make(chan struct{}, 1), open: map[uint64]inFlight{}}
	s.ctx, s.cancel = t.Context(), func() {}
	var ends []error
	send := func() {
		s.send(&clusterv1.Delivery{}, func(o delivery.Outcome) { ends = append(ends, o.Err) })
	}
	send()
	s.expire(time.Now().Add(outcomeWithin / 2))
	if len(ends) != 0 {
		t.Fatalf("given up at once: %v", ends)
	}
	s.expire(time.Now().Add(outcomeWithin + time.Second))
	if len(ends) != 1 || !errors.Is(ends[0], errBroken) || len(s.open) != 0 {
		t.Fatalf("after its time: %v, %d are open", ends, len(s.open))
	}
	s.finish([]*clusterv1.Outcome{{Id: 1}})
	if send(); len(ends) != 1 {
		t.Errorf("ended again: %v", ends)
	}
	if s.finish([]*clusterv1.Outcome{{Id: 2}}); len(ends) != 2 || ends[1] != nil {
		t.Errorf("the next one: %v", ends)
	}
}
