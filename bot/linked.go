package bot

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Link makes the address under which a received file can be read from a moment on; empty where
// there is none. It asks no clock and draws no numbers: a repeated turn has equal links.
type Link func(file *wactorv1.Media, now time.Time) string

// Linked returns a bot whose turns have a link in each file that a user sent. The link is made for
// each attempt anew, so that its life counts from there.
//
// The returned bot is an Inliner where b is one.
func Linked(b Bot, link Link) Bot {
	l := linked{bot: b, link: link}
	if inliner, ok := b.(Inliner); ok {
		return linkedInliner{linked: l, inliner: inliner}
	}
	return l
}

type linked struct {
	bot  Bot
	link Link
}

func (l linked) Turn(ctx context.Context, turn *conversation.Turn) (*conversation.Answer, error) {
	return l.bot.Turn(ctx, l.turn(turn))
}

// turn returns the turn with links; the same one where no message has a file.
func (l linked) turn(turn *conversation.Turn) *conversation.Turn {
	with := *turn
	changed := false
	for _, list := range []*[]*wactorv1.Message{&with.Messages, &with.Events, &with.History} {
		if linked := l.messages(*list, turn.Now); linked != nil {
			*list, changed = linked, true
		}
	}
	if !changed {
		return turn
	}
	return &with
}

// messages returns copies of those with a file; nil where none has one.
func (l linked) messages(all []*wactorv1.Message, now time.Time) []*wactorv1.Message {
	var out []*wactorv1.Message
	for i, m := range all {
		if m.Media == nil {
			continue
		}
		if out == nil {
			out = append(out, all...)
		}
		with := proto.CloneOf(m)
		with.Media.Url = l.link(m.Media, now)
		out[i] = with
	}
	return out
}

type linkedInliner struct {
	linked
	inliner Inliner
}

func (l linkedInliner) Inline(turn *conversation.Turn) (*conversation.Answer, bool, error) {
	return l.inliner.Inline(l.turn(turn))
}
