package main

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// Each of these tests plays one rule of identity to a process of the program.

// count answers the n-th turn with its number, so that a conversation that was begun anew shows.
func count(one turn) string {
	if len(one.Messages) > 0 && one.Messages[0].Type == "system" {
		return `{}`
	}
	n := strings.Count(string(one.State), "x") + 1
	return `{"state":{"n":"` + strings.Repeat("x", n) + `"},"replies":[{"text":"` + strings.Repeat("I", n) + " " + one.texts() + `"}]}`
}

// TestPhonelessUsers: a BSUID alone, also in the place of the phone, is answered by recipient; then
// the phone becomes known, and vanishes.
func TestPhonelessUsers(t *testing.T) {
	s := play(t, "", count, fast)
	s.write(emulator.Message{UserID: "DE.abc", Text: "a"})
	s.want("I a")
	s.write(emulator.Message{User: "DE.abc", Text: "b"})
	s.want("I a", "II b")
	s.write(emulator.Message{User: player, UserID: "DE.abc", Text: "c"})
	s.want("I a", "II b", "III c")
	s.write(emulator.Message{UserID: "DE.abc", Text: "d"})
	s.want("I a", "II b", "III c", "IIII d")
	var to []string
	for _, one := range s.messages() {
		to = append(to, one.To+one.Recipient)
	}
	if want := []string{"DE.abc", "DE.abc", "+" + player, "+" + player}; !slices.Equal(to, want) {
		t.Errorf("replies to %q, want %q", to, want)
	}
}

// TestNoReplyToAPhoneThatWasLeft: the user has another number, which is withheld. Replies go to the
// new BSUID, however late a message from before the change comes.
func TestNoReplyToAPhoneThatWasLeft(t *testing.T) {
	changed := time.Now().UnixMilli()
	for name, tell := range map[string]func(s *stage){
		"message": func(s *stage) {
			s.write(emulator.Message{User: player, UserID: "DE.abc", SentMs: changed,
				Moved: &emulator.Moved{UserID: "DE.xyz"}})
		},
		"update": func(s *stage) { s.post(s.number.Renamed("", "DE.abc", "DE.xyz", changed)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := play(t, "", count, fast)
			s.write(emulator.Message{User: player, UserID: "DE.abc", Text: "a", SentMs: changed - 60_000})
			s.want("I a")
			tell(s)
			s.await("both names of now", func() bool { return len(s.journal("DE.xyz")) > 0 })
			s.write(emulator.Message{UserID: "DE.xyz", Text: "b", SentMs: changed + 1000})
			s.want("I a", "II b")
			s.write(emulator.Message{User: player, UserID: "DE.abc", Text: "late", SentMs: changed - 30_000})
			s.want("I a", "II b", "III late")
			for i, one := range s.messages() {
				if want := []string{"+" + player, "DE.xyz", "DE.xyz"}[i]; one.To+one.Recipient != want {
					t.Errorf("reply %d to %s%s, want %s", i+1, one.To, one.Recipient, want)
				}
			}
		})
	}
}

// TestOtherPeoplesThreadsAreNotAnswered: groups, and copies of threads that another app owns.
func TestOtherPeoplesThreadsAreNotAnswered(t *testing.T) {
	s := play(t, "", echo, fast)
	change := func(field, more string) {
		s.post([]byte(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"` + field + `","value":{"messaging_product":"whatsapp",` +
			`"metadata":{"phone_number_id":"100000000000001"},"messages":[{"from":"` + player + `","id":"wamid.` + field + `","timestamp":"` + strconv.FormatInt(time.Now().Unix(), 10) + `",` + more +
			`"type":"text","text":{"body":"hi"}}]}}]}]}`))
	}
	change("messages", `"group_id":"G1",`)
	change("standby", "")
	change("smb_message_echoes", "")
	s.say("mine")
	s.want("you said mine")
	if n := len(s.asked()); n != 1 {
		t.Errorf("the bot was asked %d times", n)
	}
}

// TestTwoConversationsBecomeOne: the same person wrote under a phone and under a BSUID, and both
// are busy when one webhook tells it.
func TestTwoConversationsBecomeOne(t *testing.T) {
	hold := make(chan bool)
	s := play(t, "", func(one turn) string {
		if one.texts() == "slow" {
			select {
			case <-hold:
			case <-one.closed:
			}
		}
		return count(one)
	}, fast)
	s.write(emulator.Message{User: player, Text: "a"})
	s.want("I a")
	s.write(emulator.Message{UserID: "DE.abc", Text: "b"})
	s.want("I a", "I b")
	s.write(emulator.Message{UserID: "DE.abc", Text: "slow"})
	s.write(emulator.Message{UserID: "DE.abc", Text: "c"})
	s.await("the slow turn", func() bool { return len(s.asked()) == 3 })
	s.write(emulator.Message{User: player, UserID: "DE.abc", Text: "both"})
	s.write(emulator.Message{UserID: "DE.abc", Text: "d"})
	close(hold)
	s.await("all replies", func() bool { return len(s.replies()) == 6 })
	got := s.replies()[2:]
	steps, texts := map[string]bool{}, map[string]bool{}
	for _, reply := range got {
		step, text, _ := strings.Cut(reply, " ")
		steps[step], texts[text] = true, true
	}
	if len(steps) != 4 || steps["I"] || len(texts) != 4 {
		t.Errorf("replies %q: not one conversation that goes on", got)
	}
}

// TestDeadLettersOfANameAreTakenUpByItsConversation: a conversation has a dead letter when an older
// one of the same user takes over.
func TestDeadLettersOfANameAreTakenUpByItsConversation(t *testing.T) {
	var fixed atomic.Bool
	s := play(t, "", func(one turn) string {
		if one.texts() == "bad" && !fixed.Load() {
			return "400"
		}
		return count(one)
	}, fast)
	s.write(emulator.Message{User: player, Text: "a"})
	s.want("I a")
	s.write(emulator.Message{UserID: "DE.abc", Text: "bad"})
	s.await("a dead letter", func() bool { return len(s.letters("DE.abc")) == 1 })
	s.write(emulator.Message{User: player, UserID: "DE.abc", Text: "b"})
	s.want("I a", "II b")
	s.await("the name to become an alias", func() bool { return slices.Equal(s.journal("DE.abc"), s.journal(player)) })
	fixed.Store(true)
	if _, err := s.client.Retry(t.Context(), connect.NewRequest(&wactorv1.RetryRequest{User: "DE.abc",
		Seq: 1})); err != nil {
		t.Fatal(err)
	}
	s.want("I a", "II b", "III bad")
	if left := s.letters("DE.abc"); len(left) != 0 {
		t.Errorf("letters left: %q", left)
	}
}
