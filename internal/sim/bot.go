package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// bot counts the turns of each conversation. It answers at once, or after a while, and sometimes it
// fails.
type bot struct{ p *process }

// counter is the state of the bot: how many turns it has seen.
type counter struct {
	N uint64 `json:"n"`
}

var errBot = errors.New("sim: the bot fails")

// Inline implements actors.Inliner.
func (b *bot) Inline(turn *conversation.Turn) (*conversation.Answer, bool, error) {
	if (letters{b.p.w}).poisoned() {
		return nil, true, errPoison
	}
	if b.p.w.chance(0.1) {
		return nil, false, nil
	}
	return b.answer(turn), true, nil
}

// Turn implements actors.Bot.
func (b *bot) Turn(ctx context.Context, turn *conversation.Turn) (*conversation.Answer, error) {
	w := b.p.w
	if (letters{w}).poisoned() {
		return nil, errPoison
	}
	answer, fails := b.answer(turn), w.chance(0.05)
	if !b.p.scheduler.Sleep(ctx, w.between(0, 30*time.Millisecond)) || fails {
		return nil, errBot
	}
	return answer, nil
}

func (b *bot) answer(turn *conversation.Turn) *conversation.Answer {
	w, index := b.p.w, b.p.w.userOf[turn.Conversation.String()].index
	var state counter
	if turn.State != nil {
		if err := json.Unmarshal(turn.State, &state); err != nil {
			w.fail("conversation %d has a state that no turn wrote: %v", index, err)
		}
	}
	if state.N != turn.Version {
		w.fail("conversation %d: the turn after version %d reads the state of turn %d", index, turn.Version, state.N)
	}
	var ids []string
	for _, m := range turn.Messages {
		ids = append(ids, m.Id)
	}
	encoded, _ := json.Marshal(counter{state.N + 1})
	return &conversation.Answer{
		State:   encoded,
		Replies: []*wactorv1.Reply{{Content: &wactorv1.Reply_Text{Text: replyText(state.N+1, ids)}}},
	}
}

func replyText(version uint64, ids []string) string {
	return fmt.Sprintf("step %d: %s", version, strings.Join(ids, " "))
}

// writerOf is whose conversation has made a reply.
func (v *messenger) writerOf(out *provider.Outgoing) *user {
	name, _ := conversation.ReplyUser(out.ReplyID)
	return v.w.userOf[conversation.ID{Channel: channel, User: name}.String()]
}

// sender posts replies to the provider.
type sender struct{ p *process }

// Send implements actors.Sender.
func (s *sender) Send(_ context.Context, out *provider.Outgoing) (result provider.Result) {
	w := s.p.w
	s.p.scheduler.await(func(wake func()) {
		w.provider.post(s.p, w.provider.writerOf(out), out, func(r provider.Result) {
			result = r
			wake()
		})
	})
	return result
}
