package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// Each of these tests plays one rule of docs/conversations.md to a process of the program, from its
// webhook to its Graph API.

func TestAlbumsStayInOrder(t *testing.T) {
	s := play(t, "burst: { policy: merge, quiet: 300ms }", echo)
	at := time.Now().UnixMilli()
	for i := range 4 {
		m := emulator.Message{Text: fmt.Sprint("m", i), SentMs: at}
		if i%2 == 0 {
			m.Media = &emulator.Media{Type: "image", ID: fmt.Sprint("media", i), MIMEType: "image/jpeg",
				Caption: m.Text}
		}
		s.write(m)
	}
	s.want("you said m0 m1 m2 m3")
	var types []string
	for _, m := range s.asked()[0].Messages {
		types = append(types, m.Type)
		if m.Timestamp == "" || m.Received == "" {
			t.Errorf("sent %q, received %q", m.Timestamp, m.Received)
		}
	}
	if want := []string{"image", "text", "image", "text"}; !slices.Equal(types, want) {
		t.Errorf("the batch holds %q, want %q", types, want)
	}
}

func TestButtonsFlushAtOnce(t *testing.T) {
	s := play(t, "burst: { policy: merge, quiet: 30s, max_wait: 1m, flush: [go] }", echo)
	s.say("a")
	s.write(emulator.Message{Tap: &emulator.Tap{ID: "y", Title: "Yes", Prompt: "wamid.old"}})
	s.want("you said a Yes")
	s.say("b", "GO")
	s.want("you said a Yes", "you said b GO")
}

func TestInterruptedBotSeesItsRequestClosed(t *testing.T) {
	closed := make(chan bool, 1)
	s := play(t, "burst: { policy: interrupt }", func(one turn) string {
		if len(one.Messages) == 1 {
			<-one.closed
			closed <- true
		}
		return echo(one)
	})
	s.say("a")
	s.await("a call", func() bool { return len(s.asked()) == 1 })
	s.say("b")
	s.want("you said a b")
	<-closed
	if asked := s.asked(); asked[0].TurnID == asked[1].TurnID || asked[1].Attempt != 1 {
		t.Errorf("turns %s and %s, attempt %d", asked[0].TurnID, asked[1].TurnID, asked[1].Attempt)
	}
	if journal := s.journal(player); !slices.Contains(journal, "interrupted") {
		t.Errorf("journal %q", journal)
	}
}

func TestRejectTellsOnce(t *testing.T) {
	hold := make(chan bool)
	s := play(t, "burst: { policy: reject, notice: One moment }", func(one turn) string { <-hold; return echo(one) })
	s.say("a")
	s.await("a call", func() bool { return len(s.asked()) == 1 })
	s.say("b", "c")
	s.want("One moment")
	close(hold)
	s.want("One moment", "you said a")
	s.say("d")
	s.want("One moment", "you said a", "you said d")
}

func TestTapsAreTakenOnce(t *testing.T) {
	prompt := `{"replies":[{"buttons":{"body":"?","options":[{"id":"y","title":"Yes"},{"id":"n","title":"No"}]}}]}`
	s := play(t, "stale_buttons: answer, stale_reply: That is over", func(one turn) string {
		if one.texts() == "ask" {
			return prompt
		}
		return echo(one)
	})
	tap := func(to sent, option string) {
		s.write(emulator.Message{Tap: &emulator.Tap{ID: option, Title: option, Prompt: to.id}})
	}
	s.say("ask")
	s.want("interactive")
	first := s.messages()[0]
	tap(first, "y")
	tap(first, "y")
	tap(first, "n")
	s.want("interactive", "you said y", "you said n")
	s.say("ask")
	s.want("interactive", "you said y", "you said n", "interactive")
	s.await("the prompt to be noted", func() bool {
		return strings.Count(strings.Join(s.journal(player), "\n"),
			"sent") == 4
	})
	tap(first, "x")
	tap(s.messages()[3], "y")
	s.want("interactive", "you said y", "you said n", "interactive", "That is over", "you said y")
}

func TestLateMessages(t *testing.T) {
	for policy, want := range map[string]string{"process": "true", "drop": ""} {
		t.Run(policy, func(t *testing.T) {
			s := play(t, "order: { late: "+policy+" }", func(one turn) string {
				return fmt.Sprintf(`{"replies":[{"text":"%v"}]}`, one.Messages[0].Late)
			})
			s.say("now")
			s.want("false")
			s.write(emulator.Message{Text: "earlier", SentMs: time.Now().Add(-time.Minute).UnixMilli()})
			s.await("the message to end", func() bool {
				return len(s.replies()) == 2 ||
					slices.ContainsFunc(s.journal(player), isLateNote)
			})
			if got := strings.Join(s.replies()[1:], ""); got != want {
				t.Errorf("a late message was answered %q, want %q", got, want)
			}
		})
	}
}

func isLateNote(line string) bool { return strings.HasPrefix(line, "absorbed late") }

func TestHoldSortsSwappedMessages(t *testing.T) {
	s := play(t, "order: { hold: 500ms }", echo)
	now := time.Now()
	s.write(emulator.Message{Text: "second", SentMs: now.UnixMilli()})
	s.write(emulator.Message{Text: "first", SentMs: now.Add(-2 * time.Second).UnixMilli()})
	s.want("you said first", "you said second")
}

func TestTimersRingOnceAlsoAfterACrash(t *testing.T) {
	s := play(t, "", func(one turn) string {
		switch one.texts() {
		case "set":
			return `{"timers":[{"name":"a","after":"1s"},{"name":"b","after":"3600s"},{"name":"c","after":"1.5s"}]}`
		case "move":
			return `{"timers":[{"name":"b","after":"2s"}],"cancelTimers":["c"]}`
		}
		return echo(one)
	})
	s.say("set", "move")
	s.await("two turns", func() bool { return len(s.asked()) == 2 })
	moved := s.asked()[1].at
	s.await("the commit", func() bool { return strings.Count(strings.Join(s.journal(player), "\n"), "turn") == 2 })
	s.kill()
	s.start(t)
	s.want("you said timer a", "you said timer b")
	late := s.asked()[len(s.asked())-1].at.Sub(moved.Add(2 * time.Second))
	if late > time.Second {
		t.Errorf("a timer rang %v late", late)
	}
}

func TestSessionEndsWithATurn(t *testing.T) {
	s := play(t, "session: { idle: 1s, turn: true }", func(one turn) string {
		if one.Timer != nil {
			return fmt.Sprintf(`{"replies":[{"text":"bye %s"}]}`, strings.Trim(string(one.State), `{"n:}`))
		}
		return fmt.Sprintf(`{"state":{"n":7},"replies":[{"text":"state %s"}]}`, strings.Trim(string(one.State), `{"n:}`))
	})
	s.say("a")
	s.want("state ", "bye 7")
	s.say("b")
	s.want("state ", "bye 7", "state ")
}
