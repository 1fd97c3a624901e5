package conversation

import (
	"testing"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestReplyThatFailsAfterAcceptanceKeepsItsContent: media and templates can be tried again, not
// texts alone; after a crash only the reply's number is known, and nothing can.
func TestReplyThatFailsAfterAcceptanceKeepsItsContent(t *testing.T) {
	for name, crash := range map[string]bool{"at once": false, "after a crash": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(plainConfig(false))
			w.deliver("m1", w.nowMs)
			w.keepUp()
			media := &wactorv1.Media{Type: "image", Link: "https://example.com/a.jpg"}
			w.answerWith(&Answer{Replies: []*wactorv1.Reply{{Content: &wactorv1.Reply_Media{Media: media}}}})
			w.comeToRest()
			if crash {
				w.crash(0)
				w.comeToRest()
			}
			w.nextRef++
			w.refs[w.nextRef] = "status:failed"
			w.step(StatusArrived{
				Ref: w.nextRef, ReplyID: replyID(w.c.ledger.head.CreatedMs, 1, w.id.User), Status: "failed",
				AtMs: w.nowMs,
				Code: 131053, Reason: "Media upload error: not an image",
			})
			w.comeToRest()
			letters := w.letters()
			const why = "provider reported failed: code 131053: Media upload error: not an image"
			if len(letters) != 1 || letters[0].Reason != why ||
				(letters[0].Reply.GetReply().GetMedia().GetLink() == media.Link) == crash {
				t.Fatalf("dead letters %v", letters)
			}
			before := len(w.taken)
			w.retry(letters[0].Seq)
			if w.comeToRest(); (len(w.taken) == before+1) == crash {
				t.Errorf("%d replies were taken after the retry, %d before", len(w.taken), before)
			}
		})
	}
}

// TestRecentRepliesAreBounded: what is kept of them in memory is small.
func TestRecentRepliesAreBounded(t *testing.T) {
	var sent taken
	for seq := range uint64(10) {
		sent.keep(outgoing{reply: &wactorv1.OutboxReply{Seq: seq, Reply: text("x")}, size: 10})
	}
	sent.keep(outgoing{reply: &wactorv1.OutboxReply{Seq: 10, Reply: text("x")}, size: maxRecentBytes})
	if len(sent.recent) != maxRecent || sent.find(9, "").Reply == nil || sent.find(10, "").Reply != nil {
		t.Errorf("%d replies are kept", len(sent.recent))
	}
}
