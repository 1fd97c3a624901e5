package conversation

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestReplyThatFailsAfterAcceptanceKeepsItsContent: whatever it is, it can be tried again, also
// after a crash and behind many others: the journal has it.
func TestReplyThatFailsAfterAcceptanceKeepsItsContent(t *testing.T) {
	media := &wactorv1.Reply{Content: &wactorv1.Reply_Media{
		Media: &wactorv1.Media{Type: "image", Link: "https://example.com/a.jpg"},
	}}
	template := &wactorv1.Reply{Content: &wactorv1.Reply_Template{Template: &wactorv1.Template{Name: "hello"}}}
	large := text(strings.Repeat("ä", maxRecentBytes/maxRecent))
	for _, reply := range []*wactorv1.Reply{media, template, large} {
		for name, crash := range map[string]bool{"at once": false, "after a crash": true} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(plainConfig(false))
				w.deliver("m1", w.nowMs)
				w.keepUp()
				w.answerWith(&Answer{Replies: []*wactorv1.Reply{reply}})
				w.comeToRest()
				for i := range 2 * maxRecent {
					w.deliver(fmt.Sprint("more", i), w.nowMs)
					w.comeToRest()
				}
				if crash {
					w.crash(0)
					w.comeToRest()
				}
				w.statusArrived(StatusArrived{ReplyID: replyID(w.c.ledger.head.CreatedMs, 1, w.id.User),
					Status: "failed", Code: 131053, Reason: "Media upload error: not an image"})
				w.comeToRest()
				letters := w.letters()
				const why = "provider reported failed: code 131053: Media upload error: not an image"
				if len(letters) != 1 || !proto.Equal(letters[0].Reply.GetReply(), reply) || letters[0].Reason != why {
					t.Fatalf("dead letters %v", letters)
				}
				before := len(w.taken)
				w.retry(letters[0].Seq)
				if w.comeToRest(); len(w.taken) != before+1 {
					t.Errorf("%d replies were taken after the retry, %d before", len(w.taken), before)
				}
			})
		}
	}
}

// TestRecentRepliesAreBounded: what is kept of them in memory is small.
func TestRecentRepliesAreBounded(t *testing.T) {
	var sent taken
	for seq := range uint64(10) {
		sent.keep(outgoing{reply: &wactorv1.OutboxReply{Seq: seq, Reply: text("x")}, record: make([]byte, 10)})
	}
	sent.keep(outgoing{reply: &wactorv1.OutboxReply{Seq: 10, Reply: text("x")}, record: make([]byte, maxRecentBytes)})
	if len(sent.recent) != maxRecent || sent.find(9) == nil || sent.find(10) != nil {
		t.Errorf("%d replies are kept", len(sent.recent))
	}
}
