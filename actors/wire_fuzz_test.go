package actors

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// FuzzDecode: whatever a peer sends is refused, or a delivery to somebody that travels on unchanged
// and answers under its number.
func FuzzDecode(f *testing.F) {
	for _, d := range deliveries() {
		f.Add(encoded(f, d))
	}
	f.Add([]byte{})
	f.Add([]byte{0x22, 0x01, 'u', 0x52, 0x00})       // to u, an inbound without a message
	f.Add([]byte{0x22, 0x01, 'u', 0xa2, 0x06, 0x00}) // to u, of a kind that a newer version may know
	f.Fuzz(func(t *testing.T, data []byte) {
		in := &clusterv1.Delivery{}
		if proto.Unmarshal(data, in) != nil {
			return
		}
		var outcomes []*clusterv1.Outcome
		d, err := Decode(in, func(o *clusterv1.Outcome) { outcomes = append(outcomes, o) })
		if err != nil {
			return
		}
		if d.Conversation.User == "" || d.Conversation.User != in.GetUserId() ||
			d.Conversation.Channel != in.GetChannel() {
			t.Fatalf("a delivery to %q went to %v", in.GetUserId(), d.Conversation)
		}
		again := &clusterv1.Delivery{}
		if err := proto.Unmarshal(encoded(t, d), again); err != nil {
			t.Fatal(err)
		}
		passed, err := Decode(again, func(*clusterv1.Outcome) {})
		if err != nil || !bytes.Equal(encoded(t, passed), encoded(t, d)) || passed.Repeatable() != d.Repeatable() {
			t.Fatalf("%v became %v: %v", d.Encode(), passed.Encode(), err)
		}
		d.Again()
		d.Finish(&clusterv1.Outcome{Verdict: int32(conversation.Duplicate)})
		d.Finish(&clusterv1.Outcome{Answered: true, Owner: "u"})
		if len(outcomes) != 2 || outcomes[0].GetId() != in.GetId() || outcomes[1].GetId() != in.GetId() ||
			outcomes[0].GetVerdict() != int32(conversation.Duplicate) || outcomes[1].GetOwner() != "u" {
			t.Fatalf("delivery %d was answered by %v", in.GetId(), outcomes)
		}
	})
}

func encoded(t testing.TB, d *Delivery) []byte {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(d.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return data
}
