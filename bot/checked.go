package bot

import (
	"context"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Checked returns a bot whose answers keep the limits of a turn, and whose replies each pass check:
// the limits of the channel. What does not is a failure for good, found before anything of the turn
// is stored, instead of a reply that the provider refuses later. Check's errors must name a field
// and a limit, never a value; check may be nil.
//
// The returned bot is an Inliner where b is one.
func Checked(b Bot, check func(*wactorv1.Reply) error) Bot {
	c := checked{bot: b, check: check}
	if inliner, ok := b.(Inliner); ok {
		return checkedInliner{checked: c, inliner: inliner}
	}
	return c
}

type checked struct {
	bot   Bot
	check func(*wactorv1.Reply) error
}

func (c checked) Turn(ctx context.Context, turn *conversation.Turn) (*conversation.Answer, error) {
	answer, err := c.bot.Turn(ctx, turn)
	if err != nil {
		return nil, err
	}
	return c.pass(answer)
}

func (c checked) pass(answer *conversation.Answer) (*conversation.Answer, error) {
	if err := checkAnswer(answer); err != nil {
		return nil, err
	}
	if c.check == nil {
		return answer, nil
	}
	for i, reply := range answer.Replies {
		if err := c.check(reply); err != nil {
			return nil, conversation.Permanent("replies[%d]: %v", i, err)
		}
	}
	return answer, nil
}

type checkedInliner struct {
	checked
	inliner Inliner
}

func (c checkedInliner) Inline(turn *conversation.Turn) (*conversation.Answer, bool, error) {
	answer, ok, err := c.inliner.Inline(turn)
	if err != nil || !ok {
		return nil, ok, err
	}
	answer, err = c.pass(answer)
	return answer, true, err
}
