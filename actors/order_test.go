package actors

import (
	"testing"
	"testing/synctest"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestAMessageIsTakenBehindTheOneItNames: the one before may have failed, on its way here or with
// an activation before this one.
func TestAMessageIsTakenBehindTheOneItNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		defer store.close()
		b := start(t, store, counter{}, nil)
		defer b.stop()
		var outcomes []delivery.Outcome
		deliver := func(id string, number, after uint64) {
			t.Helper()
			b.Deliver(delivery.Envelope{
				To:    conversation.ID{Channel: "shop", User: "49151"},
				Place: delivery.Place{Router: 7, Number: number, After: after},
				Body: delivery.Inbound{Message: &wactorv1.Message{Id: id, Type: "text"},
					User: &wactorv1.User{WaId: "49151"}},
			}, func(o delivery.Outcome) { outcomes = append(outcomes, o) })
			synctest.Wait()
		}
		deliver("m2", 2, 1)
		deliver("m1", 1, 0)
		deliver("m2", 2, 1)
		want := []delivery.Outcome{{Err: delivery.ErrOutOfTurn}, {Verdict: conversation.Accepted},
			{Verdict: conversation.Accepted}}
		for i, o := range outcomes {
			if o.Err != want[i].Err || o.Verdict != want[i].Verdict {
				t.Errorf("delivery %d: %v, want %v", i+1, o, want[i])
			}
		}
	})
}
