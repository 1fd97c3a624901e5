package delivery

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/wactor/wactor/conversation"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// envelopes are one of each kind.
func envelopes() []Envelope {
	to := conversation.ID{Channel: "shop", User: "491"}
	message := &wactorv1.Message{Id: "m1", Type: "text", Text: "hi"}
	return []Envelope{
		{
			To: to, Origin: "n1", Hops: 2, Place: Place{7, 8, 9},
			Body: Inbound{Message: message, User: &wactorv1.User{WaId: "491"}},
		},
		{To: to, Origin: "n1", Body: Identity{
			Message: &wactorv1.Message{Id: "m2", Type: "system"}, User: &wactorv1.User{Id: "491", WaId: "492"},
		}},
		{To: to, Body: Status{
			ReplyID: "r", Status: "sent", ProviderID: "p", Code: 7, Reason: "why", AtMs: 9, WindowClosed: true,
		}},
		{To: to, Body: ResolveRequest{By: "US.1", CreatedMs: 4}},
		{To: to, Body: MergeOffer{
			From: "US.1", User: &wactorv1.User{Id: "1"}, AtMs: 5, Names: []string{"a"}, Claims: []string{"b"},
			Messages: []*wactorv1.Message{message}, Ownership: &wactorv1.Ownership{By: "ana", UntilMs: 3},
		}},
		{To: to, Body: Operation{By: "ana", Request: &wactorv1.RetryRequest{Seq: 3, Text: "x"}}},
		{To: to, Body: Operation{By: "ana", Request: &wactorv1.SkipRequest{Seq: 3}}},
		{To: to, Body: Operation{By: "ana", Request: &wactorv1.ChangeNodeRequest{Node: "any other"}}},
	}
}

func TestEnvelopesTravel(t *testing.T) {
	kinds := map[string]bool{}
	for _, want := range envelopes() {
		kinds[fmt.Sprintf("%T", want.Body)] = true
		got, err := Decode(received(t, want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
	}
	if len(kinds) != len(codecs)+1 { // Inbound and Identity share one
		t.Errorf("%d of %d kinds of bodies were tried", len(kinds), len(codecs)+1)
	}
	for _, bad := range []*clusterv1.Delivery{
		{}, {Channel: "shop", UserId: "1"}, {UserId: "1", Content: &clusterv1.Delivery_Inbound{}},
		{UserId: "1", Content: &clusterv1.Delivery_Inbound{Inbound: &clusterv1.Inbound{Message: &wactorv1.Message{}}}},
		{UserId: "1", Content: &clusterv1.Delivery_Operation{}},
		{UserId: "1", Content: &clusterv1.Delivery_Operation{Operation: &clusterv1.Operation{
			Name: "wactor.v9.Request"}}},
	} {
		if _, err := Decode(bad); err == nil {
			t.Errorf("decoded: %v", bad)
		}
	}
}

// TestSystemMessagesOfOlderNodesAreIdentities: they know no such body, and send the message as one
// of the user.
func TestSystemMessagesOfOlderNodesAreIdentities(t *testing.T) {
	got, err := Decode(&clusterv1.Delivery{Channel: "shop", UserId: "1", Content: &clusterv1.Delivery_Inbound{
		Inbound: &clusterv1.Inbound{Message: &wactorv1.Message{Id: "m", Type: "system"}},
	}})
	if _, ok := got.Body.(Identity); !ok || err != nil {
		t.Errorf("decoded as a %T, %v", got.Body, err)
	}
}

// TestEveryContentHasABody: what proto gives a place has a codec; operations have three contents.
func TestEveryContentHasABody(t *testing.T) {
	contents := (&clusterv1.Delivery{}).ProtoReflect().Descriptor().Oneofs().ByName("content").Fields()
	if contents.Len() != len(codecs)+2 {
		t.Errorf("there are %d contents and %d codecs", contents.Len(), len(codecs))
	}
}

func TestOutcomesTravel(t *testing.T) {
	for refusal, want := range refusals {
		if got := errorOf(refusalOf(want)); got != want || refusalOf(want) != refusal {
			t.Errorf("%v became %v", want, got)
		}
	}
	for _, want := range []Outcome{
		{Verdict: conversation.Duplicate}, {Err: ErrNotLeader, Leader: 7}, {Err: errRemote},
		{Answer: &Answer{Owner: "US.2", Taken: []uint64{4}}},
	} {
		same := cmp.Comparer(func(a, b error) bool { return a == b })
		if diff := cmp.Diff(want, DecodeOutcome(want.Encode(3)), same); diff != "" {
			t.Error(diff)
		}
	}
	if got := DecodeOutcome(Outcome{Err: context.Canceled}.Encode(1)); got.Err != errRemote {
		t.Errorf("an error of no class became %v", got.Err)
	}
	if got := DecodeOutcome(&clusterv1.Outcome{Refusal: 99}); got.Err != errRemote {
		t.Errorf("a refusal of a newer version became %v", got.Err)
	}
}

// TestAnotherAttemptHasAMessageOfItsOwn: the conversation of the attempt before numbers its copy.
func TestAnotherAttemptHasAMessageOfItsOwn(t *testing.T) {
	first := envelopes()[0]
	again := first.Fresh()
	first.Body.(Inbound).Message.Seq = 7
	if got := again.Body.(Inbound).Message; got.Seq != 0 || got.Id != "m1" {
		t.Errorf("the second attempt has %v", got)
	}
	if got := first.Fresh().Body.(Inbound).Message; got.Seq != 0 {
		t.Errorf("the third attempt has %v", got)
	}
}

// FuzzDecode: whatever a peer sends is rejected, or an envelope that travels on unchanged.
func FuzzDecode(f *testing.F) {
	for _, e := range envelopes() {
		f.Add(encoded(f, e))
	}
	f.Add([]byte{})
	f.Add([]byte{0x22, 0x01, 'u', 0x52, 0x00})       // to u, an inbound without a message
	f.Add([]byte{0x22, 0x01, 'u', 0xa2, 0x06, 0x00}) // to u, of a kind that a newer version may know
	f.Fuzz(func(t *testing.T, data []byte) {
		in := &clusterv1.Delivery{}
		if proto.Unmarshal(data, in) != nil {
			return
		}
		e, err := Decode(in)
		if err != nil {
			return
		}
		if e.To.User == "" || e.To.User != in.GetUserId() || e.To.Channel != in.GetChannel() {
			t.Fatalf("a delivery to %q went to %v", in.GetUserId(), e.To)
		}
		passed, err := Decode(received(t, e))
		if err != nil || !bytes.Equal(encoded(t, passed), encoded(t, e)) || passed.Repeatable() != e.Repeatable() {
			t.Fatalf("%v became %v: %v", e.Encode(), passed.Encode(), err)
		}
		e.Fresh()
	})
}

func encoded(t testing.TB, e Envelope) []byte {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(e.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func received(t testing.TB, e Envelope) *clusterv1.Delivery {
	in := &clusterv1.Delivery{}
	if err := proto.Unmarshal(encoded(t, e), in); err != nil {
		t.Fatal(err)
	}
	return in
}
