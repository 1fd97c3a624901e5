package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// Each of these tests plays one rule of sending, or of failing, to a process of the program.

const fast = "pace: off"

func TestWindowIsKnownAndKept(t *testing.T) {
	s := play(t, "", func(one turn) string {
		if one.Timer == nil {
			return fmt.Sprintf(`{"replies":[{"text":"open until %s"}],"timers":[{"name":"late","after":"3600s"}]}`, one.WindowOpenUntil)
		}
		return echo(one)
	}, "window: 1m", fast)
	sent := time.Now().Truncate(time.Second)
	s.write(emulator.Message{Text: "a", SentMs: sent.UnixMilli()})
	s.want("open until " + sent.Add(time.Minute).UTC().Format(time.RFC3339))
	// A message that was sent long ago opens no window: its reply would be refused.
	s.write(emulator.Message{Text: "b", SentMs: sent.Add(-time.Hour).UnixMilli(), User: "4915100000002"})
	s.await("a dead letter", func() bool { return len(s.letters("4915100000002")) == 1 })
	if got := s.letters("4915100000002")[0]; got != "the customer service window is closed" || len(s.replies()) != 1 {
		t.Errorf("dead letter %q, replies %q", got, s.replies())
	}
}

// TestStatusesResolveInDoubtReplies: the connection breaks after the reply was written. Where a
// status names it, it is not sent again; else it is, or it is parked.
func TestStatusesResolveInDoubtReplies(t *testing.T) {
	for name, c := range map[string]struct {
		then, status string
		want         []string
		letters      []string
	}{
		"delivered": {"resend", "delivered", []string{"you said a", "you said b"}, nil},
		"failed":    {"resend", "failed", []string{"you said a", "you said b"}, []string{"provider reported failed"}},
		"resent":    {"resend", "", []string{"you said a", "you said a", "you said b"}, nil},
		"parked": {"park", "", []string{"you said a", "you said b"},
			[]string{"in doubt: no status came in time, parked"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := play(t, "", echo, "in_doubt: { wait: 1s, max: 2s, then: "+c.then+" }", fast)
			broken := false
			s.graphAnswer = func(one sent) (int, string) {
				if one.Text.Body == "you said a" && !broken {
					broken = true
					return 200, ""
				}
				return 0, ""
			}
			s.say("a")
			s.want("you said a")
			if c.status != "" {
				s.await("the in-doubt reply", func() bool {
					return strings.Contains(strings.Join(s.journal(player), "\n"),
						"in doubt")
				})
				s.status(s.messages()[0], c.status)
			}
			s.say("b")
			s.want(c.want...)
			s.wantLetters(c.letters...)
		})
	}
}

// TestInDoubtReplyWaitsWhileNoStatusComes: the wait ends at max where the channel's statuses may be
// what is broken.
func TestInDoubtReplyWaitsWhileNoStatusComes(t *testing.T) {
	s := play(t, "", echo, "in_doubt: { wait: 1s, max: 4s }", fast)
	s.graphAnswer = func(one sent) (int, string) {
		if len(s.messages()) == 1 {
			return 200, ""
		}
		return 0, ""
	}
	s.say("a")
	s.want("you said a", "you said a")
	if after := s.messages()[1].at.Sub(s.messages()[0].at); after < 3900*time.Millisecond {
		t.Errorf("sent again after %v, though no status came at all", after)
	}
}

// TestRefusedTokenHoldsTheChannel: nothing is lost while it is refused; with the next one
// everything leaves, in order.
func TestRefusedTokenHoldsTheChannel(t *testing.T) {
	s := play(t, "", echo, fast)
	var refused atomic.Bool
	refused.Store(true)
	s.graphAnswer = func(sent) (int, string) {
		if refused.Load() {
			return 401, `{"error":{"code":190,"message":"Error validating access token"}}`
		}
		return 0, ""
	}
	s.say("a", "b")
	s.write(emulator.Message{Text: "c", User: "4915100000002"})
	s.await("a try", func() bool { return len(s.messages()) >= 1 })
	s.await("the turns", func() bool { return len(s.asked()) == 3 })
	tries := len(s.messages())
	if tries > 2 {
		t.Errorf("%d tries of a channel that is held", tries)
	}
	refused.Store(false)
	s.stopped() // an operator gives it another token, and starts it again
	s.start(t)
	s.await("all replies", func() bool { return len(s.messages()) == tries+3 })
	ofPlayer := slices.DeleteFunc(s.messages()[tries:], func(one sent) bool {
		return !strings.HasSuffix(one.To,
			player)
	})
	if len(ofPlayer) != 2 || ofPlayer[0].Text.Body != "you said a" || ofPlayer[1].Text.Body != "you said b" {
		t.Errorf("replies %q", s.replies())
	}
	if letters := s.letters(player); len(letters) > 0 {
		t.Errorf("dead letters %q", letters)
	}
}

func TestRepliesAwaitTheDeliveryOfTheOneBefore(t *testing.T) {
	s := play(t, "", func(turn) string { return `{"replies":[{"text":"1"},{"text":"2"}]}` }, "await: delivered", fast)
	s.say("a")
	s.want("1")
	s.await("the send to be noted", func() bool { return slices.Contains(s.journal(player), "sent") })
	s.status(s.messages()[0], "sent")
	if got := s.replies(); len(got) != 1 {
		t.Errorf("replies %q before the first was delivered", got)
	}
	s.status(s.messages()[0], "delivered")
	s.want("1", "2")
}

func TestTypingAndReadMarks(t *testing.T) {
	answer := make(chan bool)
	s := play(t, "", func(one turn) string { <-answer; return echo(one) }, "typing: true", fast)
	s.say("a")
	s.await("a mark", func() bool { return len(s.requests(isMark)) == 1 })
	if mark := s.requests(isMark)[0]; mark.Status != "read" || mark.Message != "wamid.in1" || mark.Typing == nil ||
		mark.Typing.Type != "text" {
		t.Errorf("while the bot thinks: %+v", mark)
	}
	close(answer)
	s.want("you said a")
}

// TestPacedPair: the pair rate is kept for each user, whatever the others get.
func TestPacedPair(t *testing.T) {
	s := play(t, "", func(one turn) string {
		return `{"replies":[{"text":"1"},{"text":"2"},{"text":"3"}]}`
	}, "pace: { pair_burst: 2, pair_every: 1s }")
	s.say("a")
	s.write(emulator.Message{Text: "a", User: "4915100000002"})
	s.await("six replies", func() bool { return len(s.messages()) == 6 })
	for _, user := range []string{player, "4915100000002"} {
		got := slices.DeleteFunc(s.messages(), func(one sent) bool { return !strings.HasSuffix(one.To, user) })
		if gap := got[2].at.Sub(got[0].at); gap < 900*time.Millisecond ||
			got[1].at.Sub(got[0].at) > 900*time.Millisecond {
			t.Errorf("replies after %v and %v", got[1].at.Sub(got[0].at), gap)
		}
	}
}

// TestLimitsOfATurn: each has its dead letter, and the conversation goes on.
func TestLimitsOfATurn(t *testing.T) {
	many := func(n int, one string) string { return strings.TrimSuffix(strings.Repeat(one+",", n), ",") }
	s := play(t, "on_failure: { reply: sorry }", func(one turn) string {
		switch one.texts() {
		case "state":
			return `{"state":{"x":"` + strings.Repeat("x", 256<<10) + `"}}`
		case "replies":
			return `{"replies":[` + many(21, `{"text":"x"}`) + `]}`
		case "timers":
			var timers []string
			for i := range 51 {
				timers = append(timers, fmt.Sprintf(`{"name":"t%d","after":"60s"}`, i))
			}
			return `{"timers":[` + strings.Join(timers, ",") + `]}`
		}
		return echo(one)
	})
	s.say("state", "replies", "timers", "fine")
	s.want(slices.Concat([]string{"sorry"}, slices.Repeat([]string{"x"}, 20), []string{"sorry", "you said fine"})...)
	s.wantLetters("bot: state: 262152 bytes, at most 262144", "bot: timers: 51 in one turn, at most 50")
}

func TestLoopGuard(t *testing.T) {
	s := play(t, "loop_guard: { repeats: 3 }", func(turn) string { return `{"replies":[{"text":"same"}]}` })
	s.say("1", "2", "3", "4", "5")
	const why = "loop guard: the same reply was said too often to this user"
	s.wantLetters(why, why)
	s.want("same", "same", "same")
}

// TestPoisonBlocksNoOtherMessage: a bot fails again and again for one message; the next ones of its
// user and all of others are answered.
func TestPoisonBlocksNoOtherMessage(t *testing.T) {
	s := play(t, "retry: { max_attempts: 3, min: 100ms }, on_failure: { reply: sorry }", func(one turn) string {
		if one.texts() == "poison" {
			return "503"
		}
		return echo(one)
	})
	s.say("poison", "a")
	s.write(emulator.Message{Text: "b", User: "4915100000002"})
	s.want("you said b", "sorry", "you said a")
	s.wantLetters("bot: http 503")
	attempts := 0
	ids := map[string]bool{}
	for _, one := range s.asked() {
		if one.texts() == "poison" {
			attempts++
			ids[one.TurnID] = true
		}
	}
	if attempts != 3 || len(ids) != 1 {
		t.Errorf("%d attempts under %d ids", attempts, len(ids))
	}
}

// TestOperatorsUseTheCommands: dead letters by `wactor conversations`.
func TestOperatorsUseTheCommands(t *testing.T) {
	var fixed atomic.Bool
	s := play(t, "", func(one turn) string {
		if fixed.Load() {
			return echo(one)
		}
		return "400"
	})
	s.graphAnswer = func(one sent) (int, string) {
		if one.Text.Body == "you said a" {
			return 400, `{"error":{"code":131026,"message":"Message undeliverable"}}`
		}
		return 0, ""
	}
	run := func(words ...string) string {
		command := exec.Command(os.Args[0], append(append([]string{"conversations"}, words...), "--admin", s.admin)...)
		command.Env = append(os.Environ(), "WACTOR_TEST_MAIN=1")
		out, err := command.CombinedOutput()
		if err != nil {
			return "error: " + string(out)
		}
		return string(out)
	}
	s.say("a", "b")
	s.wantLetters("bot: http 400", "bot: http 400")
	fixed.Store(true)
	if out := run("dead-letters", player); !strings.Contains(out, "1  ") || !strings.Contains(out, "message text: a") {
		t.Errorf("dead letters: %s", out)
	}
	run("retry", player, "1")
	s.want("you said a")
	s.wantLetters("bot: http 400", "refused: undeliverable (code 131026, http 400): Message undeliverable")
	run("retry", player, "3", "--text", "another way")
	s.want("you said a", "another way")
	if out := run("skip", player, "2"); !strings.Contains(out, "dropped") || len(s.letters(player)) != 0 {
		t.Errorf("skip: %s, left %q", out, s.letters(player))
	}
	if out := run("retry", player, "2"); !strings.Contains(out, "no such dead letter") {
		t.Errorf("a letter that is gone: %s", out)
	}
}
