package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// fail reports that a reply failed after the provider had taken it.
func (s *stage) fail(one sent, code int) {
	s.t.Helper()
	s.post(s.number.Statuses(emulator.Status{ID: one.id, ReplyID: one.ReplyID, User: player, Status: "failed",
		AtMs: time.Now().UnixMilli(), Code: code}))
}

// TestFailedMediaIsRetriedAfterAKill: the process that sent it is gone, and a retry sends it all
// the same, whatever it is.
func TestFailedMediaIsRetriedAfterAKill(t *testing.T) {
	s := play(t, "", func(turn) string {
		return `{"replies":[{"media":{"type":"image","link":"https://example.com/a.jpg"}}]}`
	})
	s.say("a")
	s.want("image")
	s.await("the reply's outcome", func() bool {
		return strings.Contains(strings.Join(s.journal(player), "\n"), "sent")
	})
	s.kill()
	s.start(t)
	s.fail(s.messages()[0], 131026)
	s.wantLetters("provider reported failed: code 131026")
	if _, err := s.client.Retry(context.Background(), connect.NewRequest(&wactorv1.RetryRequest{
		User: player, Channel: "shop", Seq: 1})); err != nil {
		t.Fatal(err)
	}
	s.want("image", "image")
}

// TestBotReceivesFailures: it says something else. That this fails too is a dead letter.
func TestBotReceivesFailures(t *testing.T) {
	s := play(t, "receives: [text, failed]", func(one turn) string {
		if one.Messages[0].Type == "failed" {
			return fmt.Sprintf(`{"replies":[{"text":%q}]}`, "sorry: "+one.texts())
		}
		return echo(one)
	})
	s.say("a")
	s.want("you said a")
	s.fail(s.messages()[0], 131026)
	s.want("you said a", "sorry: code 131026")
	s.fail(s.messages()[1], 131026)
	s.wantLetters("provider reported failed: code 131026")
}

// TestReplyOutsideTheWindowIsSentOnceMore where the user has written just now; where it fails
// again, it is a dead letter.
func TestReplyOutsideTheWindowIsSentOnceMore(t *testing.T) {
	s := play(t, "", echo)
	s.say("a")
	s.want("you said a")
	s.fail(s.messages()[0], 131047)
	s.want("you said a", "you said a")
	s.fail(s.messages()[1], 131047)
	s.wantLetters("provider reported failed: code 131047")
	s.say("b")
	s.want("you said a", "you said a", "you said b")
}

// TestLoopGuardSeesACounter: another bot answers each reply at once, and no two texts are alike.
// Once it is seen, replies are dead letters, until an answer comes as late as a person's.
func TestLoopGuardSeesACounter(t *testing.T) {
	const exchanges = 8
	n := 0
	s := play(t, fmt.Sprintf("loop_guard: { exchanges: %d }", exchanges), func(turn) string {
		n++
		return fmt.Sprintf(`{"replies":[{"text":"I count %d"}]}`, n)
	}, "in_doubt: { wait: 1s, max: 1s }", "pace: { pair_burst: 100, pair_every: 1s }")
	s.say("hello")
	for answered := 0; len(s.letters(player)) == 0; {
		s.await("a reply or a dead letter", func() bool {
			return len(s.replies()) > answered || len(s.letters(player)) > 0
		})
		if answered = len(s.replies()); answered > 2*exchanges {
			t.Fatalf("%d replies to a machine", answered)
		}
		s.say(fmt.Sprint("you count ", answered))
	}
	if got := len(s.replies()); got < exchanges || got > exchanges+2 {
		t.Errorf("%d replies before the guard, want about %d", got, exchanges)
	}
	if why := "loop guard: the user answers as a machine does"; !slices.Contains(s.letters(player), why) {
		t.Errorf("dead letters %q", s.letters(player))
	}
}
