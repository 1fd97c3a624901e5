package conversation

import (
	"strconv"
	"testing"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// BenchmarkMessage is one message on its whole way through the machine: accept and turn in one
// commit, send, outcome.
func BenchmarkMessage(b *testing.B) {
	cfg := Config{Node: "node-1", Inline: true}.WithDefaults()
	c := New(ID{Channel: "shop", User: "4915112345678"}, cfg)
	user := &wactorv1.User{WaId: "4915112345678", UserId: "DE.13491208655302741918", Name: "Ana"}
	raw := make([]byte, 200)
	state := []byte(`{"n":7,"step":"count"}`)
	now := int64(1_700_000_000_000)
	var revision uint64
	run := func(event Event) (turn *Turn, send Send) {
		for _, effect := range c.Step(now, event) {
			switch e := effect.(type) {
			case Commit:
				revision = e.Revision
			case CallBot:
				turn = e.Turn
			case Send:
				send = e
			}
		}
		return turn, send
	}
	message := func(i int) Arrived {
		return Arrived{
			Ref: uint64(i), User: user, Node: "node-1",
			Message: &wactorv1.Message{Id: "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQz" + strconv.Itoa(i), Type: "text",
				Text: "hello", SentMs: now, ReceivedMs: now, Raw: raw},
		}
	}
	answer := func(turn *Turn) {
		run(Answered{Turn: turn, Answer: &Answer{State: state, Replies: []*wactorv1.Reply{text("step 7: hello")}},
			BotMicros: 5})
		_, send := run(Committed{Revision: revision})
		run(SendDone{Seq: send.Seq, Try: send.Try,
			Result: provider.Result{ProviderID: "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUFE"}})
		run(Committed{Revision: revision})
	}
	run(Started{})
	run(message(-1)) // the first one shows that the user has two names
	run(Committed{Revision: revision})
	first, _ := run(ResolveReply{Name: user.UserId, Owner: user.WaId})
	answer(first)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		now += 7
		turn, _ := run(message(i))
		answer(turn)
	}
}
