package conversation

import (
	"fmt"
	"strconv"
	"testing"
)

// TestReplyIDsAreComparedWhole: an id whose numbers are written in another way is no reply's, so
// that a status of it makes no dead letter.
func TestReplyIDsAreComparedWhole(t *testing.T) {
	w := newWorld(plainConfig(false))
	w.deliver("m1", w.nowMs)
	w.comeToRest()
	created := w.c.ledger.head.CreatedMs
	for _, id := range []string{
		fmt.Sprintf("w1.%s.01.%s", strconv.FormatInt(created, 36), w.id.User), fmt.Sprintf("w1.%s.+1.%s",
			strconv.FormatInt(created, 36), w.id.User),
		fmt.Sprintf("w1.0%s.1.%s", strconv.FormatInt(created, 36), w.id.User), replyID(created, 1, "49152"),
	} {
		w.status(&OutboxView{Seq: 1, ID: id}, "failed")
		w.comeToRest()
	}
	if letters := w.letters(); len(letters) > 0 {
		t.Errorf("%d dead letters: %v", len(letters), letters)
	}
	w.status(&OutboxView{Seq: 1, ID: replyID(created, 1, w.id.User)}, "failed")
	if w.comeToRest(); len(w.letters()) != 1 {
		t.Error("the reply's own id is not known")
	}
}
