package actors

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/wactor/wactor/conversation"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

func TestHandOverLeavesNoDoubt(t *testing.T) {
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
		if err := b.HandOver(t.Context(), shard); err != nil || b.Leads(shard) || b.Active() != 0 {
			t.Errorf("hand over: %v, leads %v, %d active", err, b.Leads(shard), b.Active())
		}
		if got := b.phone.texts("u"); !slices.Equal(got, steps(1, "hi")) {
			t.Errorf("the reply under way was not finished: %v", got)
		}
		b.deliver("u", "m3", "hi").want(t, 0, ErrNotLeader)
		b.TakeBack(shard) // nobody took the lead: what is unfinished goes on
		synctest.Wait()
		time.Sleep(3 * time.Second)
		if got := b.phone.texts("u"); !slices.Equal(got, steps(2, "hi")) || !b.Leads(shard) {
			t.Errorf("after taking back: %v", got)
		}
		b.stop()
		store.close()
	})
}

func TestHandOverGivesUpInTime(t *testing.T) {
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
		if err := b.HandOver(ctx, b.Shard(conversation.ID{Channel: "shop", User: "u"})); err == nil {
			t.Error("a hand over with a send under way said it was done")
		}
		b.stop()
		store.close()
	})
}

// TestHandOverThatWasGivenUp: what an activation leaves that ended only after the lead was taken
// back goes on.
func TestHandOverThatWasGivenUp(t *testing.T) {
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
		if err := b.HandOver(ctx, shard); err == nil {
			t.Error("a hand over with a send under way said it was done")
		}
		b.TakeBack(shard)
		time.Sleep(40 * time.Second) // shorter than the idle time: nothing else wakes the conversation
		if got := b.phone.texts("u"); !slices.Equal(got, steps(2, "hi")) {
			t.Errorf("sent: %v", got)
		}
		b.stop()
		store.close()
	})
}

// TestAnOfferIsTriedAgainAsItWas: the other conversation numbers what it takes anew. An offer that
// is repeated, since nobody knows what became of the first try, must name the messages as its
// sender knows them: it drops what it hears was taken.
func TestAnOfferIsTriedAgainAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		b := start(t, store, inlineCounter{}, nil)
		b.deliver("u", "m1", "hi").want(t, conversation.Accepted, nil)
		b.deliver("u", "m2", "hi").want(t, conversation.Accepted, nil)
		var taken [][]uint64
		offer := &Delivery{
			Conversation: conversation.ID{Channel: "shop", User: "u"},
			question: conversation.MergeOffer{From: "v", Messages: []*wactorv1.Message{{Id: "m9", Seq: 7,
				Type: "text", Text: "hi"}}},
			Done:   func(conversation.Verdict, error) {},
			answer: func(a conversation.ReplyPeer) { taken = append(taken, a.Taken) },
		}
		for range 2 {
			b.Deliver(offer)
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

// deliveries are one of each kind.
func deliveries() []*Delivery {
	to := conversation.ID{Channel: "shop", User: "491"}
	message := &wactorv1.Message{Id: "m1", Type: "text", Text: "hi"}
	return []*Delivery{
		{Conversation: to, Message: message, User: &wactorv1.User{WaId: "491"}, Node: "n1", hops: 2},
		{Conversation: to, Status: &conversation.StatusArrived{ReplyID: "r", Status: "sent", ProviderID: "p", Code: 7,
			AtMs: 9}},
		{Conversation: to, question: conversation.ResolveRequest{By: "US.1", CreatedMs: 4}},
		{Conversation: to, question: conversation.MergeOffer{
			From: "US.1", User: &wactorv1.User{Id: "1"}, Names: []string{"a"}, Claims: []string{"b"},
			Messages: []*wactorv1.Message{message},
		}},
		{Conversation: to, question: retryLetter{seq: 3, text: "x"}},
		{Conversation: to, question: skipLetter{seq: 3}},
	}
}

func TestDeliveriesTravel(t *testing.T) {
	for _, want := range deliveries() {
		data, err := proto.Marshal(want.Encode())
		if err != nil {
			t.Fatal(err)
		}
		read := &clusterv1.Delivery{}
		if err := proto.Unmarshal(data, read); err != nil {
			t.Fatal(err)
		}
		got, err := Decode(read, func(*clusterv1.Outcome) {})
		if err != nil {
			t.Fatal(err)
		}
		got.Done, got.answer = nil, nil
		if diff := cmp.Diff(want, got, protocmp.Transform(), cmp.AllowUnexported(Delivery{}, retryLetter{},
			skipLetter{})); diff != "" {
			t.Error(diff)
		}
	}
	for _, bad := range []*clusterv1.Delivery{
		{}, {Channel: "shop", UserId: "1"}, {UserId: "1", Content: &clusterv1.Delivery_Inbound{}},
		{UserId: "1", Content: &clusterv1.Delivery_Inbound{Inbound: &clusterv1.Inbound{Message: &wactorv1.Message{}}}},
	} {
		if _, err := Decode(bad, nil); err == nil {
			t.Errorf("taken: %v", bad)
		}
	}
}

func TestOutcomesTravel(t *testing.T) {
	for refusal, want := range refusals {
		if got := errorOf(refusalOf(want)); got != want || refusalOf(want) != refusal {
			t.Errorf("%v became %v", want, got)
		}
	}
	for _, err := range []error{context.Canceled, ErrOverloaded} {
		out := make(chan *clusterv1.Outcome, 1)
		d, _ := Decode(deliveries()[0].Encode(), func(o *clusterv1.Outcome) { out <- o })
		d.Done(conversation.Accepted, err)
		back := &Delivery{Done: func(v conversation.Verdict, got error) {
			if v != conversation.Accepted || got != errorOf(refusalOf(err)) {
				t.Errorf("%v became %v, %v", err, v, got)
			}
		}}
		back.Finish(<-out)
	}
	out := make(chan *clusterv1.Outcome, 1)
	d, _ := Decode(deliveries()[2].Encode(), func(o *clusterv1.Outcome) { out <- o })
	d.answer(conversation.ReplyPeer{Owner: "US.2", Taken: []uint64{4}})
	var got conversation.ReplyPeer
	(&Delivery{answer: func(a conversation.ReplyPeer) { got = a }}).Finish(<-out)
	if got.Owner != "US.2" || !slices.Equal(got.Taken, []uint64{4}) {
		t.Errorf("an answer became %+v", got)
	}
}
