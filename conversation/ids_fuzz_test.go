package conversation

import (
	"strings"
	"testing"
)

// FuzzReplyID: an id that a status brings back names its user, what only looks like one names
// none, and neither the id nor the provider's word can hurt the conversation that takes it.
func FuzzReplyID(f *testing.F) {
	for _, id := range []string{
		"", "49151", "w1.", "w1.loyw3v28.1.49151", "w1.-1.1.US.13491208655302741918", "w1.0.0.", "w1..1.u",
		"w1.zzzzzzzzzzzzz.1.u", "w1.1.-1.u", "w2.1.1.u",
	} {
		f.Add(id, "delivered", int64(1_700_000_000_000), uint64(1))
	}
	f.Fuzz(func(t *testing.T, id, status string, createdMs int64, seq uint64) {
		// as the decoder of webhooks makes them
		id, status = strings.ToValidUTF8(id, "\ufffd"), strings.ToValidUTF8(status, "\ufffd")
		if user, ok := ReplyUser(replyID(createdMs, seq, id)); ok != (id != "") || ok && user != id {
			t.Fatalf("the reply of %q came back as %q's, %v", id, user, ok)
		}
		created, number, user, ok := parseReplyID(id)
		if ok {
			again, numberAgain, userAgain, okAgain := parseReplyID(replyID(created, number, user))
			if user == "" || !okAgain || again != created || numberAgain != number || userAgain != user {
				t.Fatalf("%q is reply %d of %q and then %d of %q", id, number, user, numberAgain, userAgain)
			}
		}
		w := newWorld(Config{})
		w.deliver("m1", w.nowMs)
		w.keepUp()
		w.answer()
		w.keepUp()
		for _, reply := range []string{id, w.inFlight.Outgoing.ReplyID} {
			w.nextRef++
			w.refs[w.nextRef] = "status"
			w.step(StatusArrived{Ref: w.nextRef, ReplyID: reply, Status: status, ProviderID: "wamid.1", AtMs: w.nowMs})
			w.keepUp()
		}
		if len(w.refs) > 0 {
			t.Fatalf("a status %q was not answered", status)
		}
	})
}
