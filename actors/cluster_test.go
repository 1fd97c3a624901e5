package actors

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

func TestTransferLeavesNoReplyInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		b := start(t, store, inlineCounter{}, nil)
		b.phone.before = func(context.Context, *provider.Outgoing) *provider.Result {
			time.Sleep(time.Second)
			return nil
		}
		b.deliver("u", "m1", "hi").want(t, conversation.Accepted, nil)
		b.deliver("u", "m2", "hi").want(t, conversation.Accepted, nil)
		shard := b.Shard(conversation.ID{Channel: "shop", User: "u"})
		if err := b.PrepareTransfer(t.Context(), shard); err != nil || b.Leads(shard) || b.Active() != 0 {
			t.Errorf("transfer: %v, leads %v, %d active", err, b.Leads(shard), b.Active())
		}
		if got := b.phone.texts("u"); !slices.Equal(got, steps(1, "hi")) {
			t.Errorf("the reply under way was not finished: %v", got)
		}
		b.deliver("u", "m3", "hi").want(t, 0, delivery.ErrNotLeader)
		b.CancelTransfer(shard) // no other node became leader: what is unfinished goes on
		synctest.Wait()
		time.Sleep(3 * time.Second)
		if got := b.phone.texts("u"); !slices.Equal(got, steps(2, "hi")) || !b.Leads(shard) {
			t.Errorf("after taking back: %v", got)
		}
		b.stop()
		store.close()
	})
}

func TestTransferPreparationEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		b := start(t, store, inlineCounter{}, nil)
		b.phone.before = func(context.Context, *provider.Outgoing) *provider.Result {
			time.Sleep(time.Minute)
			return nil
		}
		b.deliver("u", "m1", "hi").want(t, conversation.Accepted, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.PrepareTransfer(ctx, b.Shard(conversation.ID{Channel: "shop", User: "u"})); err == nil {
			t.Error("a transfer with a send under way reported that it was done")
		}
		b.stop()
		store.close()
	})
}

// TestCancelledTransferGoesOn: what an activation leaves that ended only after the transfer was
// cancelled goes on.
func TestCancelledTransferGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		b := start(t, store, inlineCounter{}, nil)
		b.phone.before = func(context.Context, *provider.Outgoing) *provider.Result {
			time.Sleep(10 * time.Second)
			return nil
		}
		b.deliver("u", "m1", "hi").want(t, conversation.Accepted, nil)
		b.deliver("u", "m2", "hi").want(t, conversation.Accepted, nil)
		shard := b.Shard(conversation.ID{Channel: "shop", User: "u"})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.PrepareTransfer(ctx, shard); err == nil {
			t.Error("a transfer with a send under way reported that it was done")
		}
		b.CancelTransfer(shard)
		time.Sleep(40 * time.Second) // shorter than the idle time: nothing else wakes the conversation
		if got := b.phone.texts("u"); !slices.Equal(got, steps(2, "hi")) {
			t.Errorf("sent: %v", got)
		}
		b.stop()
		store.close()
	})
}

// TestAnOfferIsTriedAgainAsItWas: the other conversation numbers what it takes anew. An offer that
// is repeated, since what became of the first try is unknown, must name the messages as its
// sender knows them: the sender drops what the answer names as taken.
func TestAnOfferIsTriedAgainAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		b := start(t, store, inlineCounter{}, nil)
		b.deliver("u", "m1", "hi").want(t, conversation.Accepted, nil)
		b.deliver("u", "m2", "hi").want(t, conversation.Accepted, nil)
		var taken [][]uint64
		offer := delivery.Envelope{To: conversation.ID{Channel: "shop", User: "u"}, Body: delivery.MergeOffer{
			From: "v", Messages: []*wactorv1.Message{{Id: "m9", Seq: 7, Type: "text", Text: "hi"}},
		}}
		for range 2 {
			b.Deliver(offer, func(o delivery.Outcome) { taken = append(taken, o.Answer.Taken) })
			synctest.Wait() // a sleep ends as late, and orders nothing
		}
		synctest.Wait()
		if want := [][]uint64{{7}, {7}}; !cmp.Equal(taken, want) {
			t.Errorf("taken %v, want %v", taken, want)
		}
		b.stop()
		store.close()
	})
}

// TestHeldConversationsTakeNothingFromEachOther: neither offers nor resolve requests, nor the
// answers to their own, while webhooks are taken; released, they go on by themselves.
func TestHeldConversationsTakeNothingFromEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		b := start(t, store, inlineCounter{}, nil)
		b.deliver("u", "m1", "hi").want(t, conversation.Accepted, nil)
		release, again := b.HoldLinks(), b.HoldLinks()
		for _, body := range []delivery.Body{
			delivery.MergeOffer{From: "v", Messages: []*wactorv1.Message{{Id: "m9", Seq: 7, Type: "text", Text: "hi"}}},
			delivery.ResolveRequest{By: "v", CreatedMs: 1},
		} {
			var got []delivery.Outcome
			envelope := delivery.Envelope{To: conversation.ID{Channel: "shop", User: "u"}, Body: body}
			b.Deliver(envelope, func(o delivery.Outcome) { got = append(got, o) })
			synctest.Wait()
			if len(got) != 1 || !errors.Is(got[0].Err, delivery.ErrOverloaded) || got[0].Answer != nil {
				t.Errorf("%T while it is held: %+v", body, got)
			}
		}
		b.deliver("u", "m2", "hi").want(t, conversation.Accepted, nil)
		// A webhook names two identities: the answer to the request is not taken.
		b.Deliver(delivery.Envelope{To: conversation.ID{Channel: "shop", User: "u"}, Body: delivery.Inbound{
			Message: &wactorv1.Message{Id: "m3", Type: "text", Text: "hi"},
			User:    &wactorv1.User{WaId: "u", UserId: "US.u"}}}, func(delivery.Outcome) {})
		time.Sleep(3 * time.Second)
		turns := len(b.phone.texts("u"))
		release()
		release()
		time.Sleep(3 * time.Second)
		if got := len(b.phone.texts("u")); got != turns {
			t.Errorf("%d replies while one of two holds was left, %d before", got, turns)
		}
		again()
		time.Sleep(3 * time.Second)
		if got := b.phone.texts("u"); len(got) != 3 {
			t.Errorf("replies after the release: %v", got)
		}
		b.stop()
		store.close()
	})
}

func TestNothingIsSentWithoutLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		store.unconfirmed.Store(true)
		b := start(t, store, inlineCounter{}, nil)
		b.deliver("u", "m1", "hi").want(t, conversation.Accepted, nil)
		time.Sleep(10 * time.Second)
		if got := b.phone.texts("u"); len(got) != 0 {
			t.Errorf("sent without a lease: %v", got)
		}
		store.unconfirmed.Store(false)
		time.Sleep(time.Second)
		if got := b.phone.texts("u"); !slices.Equal(got, steps(1, "hi")) {
			t.Errorf("sent after all: %v", got)
		}
		b.stop()
		store.close()
	})
}
