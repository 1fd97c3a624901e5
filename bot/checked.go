package bot

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/flow/fit"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Checked returns a bot whose answers keep the limits of a turn, and whose replies each pass check:
// the limits of the channel. What does not is found before anything of the turn is stored, instead
// of being a reply that the provider rejects later.
//
// The mode says what becomes of such a reply. Cut makes it fit, leaves it out where that is not
// possible, and says so in the journal's note; the turn fails for good only where no reply would be
// left. Refuse fails the turn. Check's errors must name a field and a limit, never a value; check
// may be nil.
//
// The returned bot is an Inliner where b is one.
func Checked(b Bot, mode fit.Mode, check func(*wactorv1.Reply) error) Bot {
	if check == nil {
		check = func(*wactorv1.Reply) error { return nil }
	}
	c := checked{bot: b, mode: mode, check: check}
	if inliner, ok := b.(Inliner); ok {
		return checkedInliner{checked: c, inliner: inliner}
	}
	return c
}

type checked struct {
	bot   Bot
	mode  fit.Mode
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
	problem := c.problem(answer.Replies)
	switch {
	case problem == "":
		return answer, nil
	case c.mode == fit.ModeRefuse:
		return nil, conversation.Permanent("%s", problem)
	}
	fitted := c.fit(answer)
	if len(fitted.Replies) == 0 {
		return nil, conversation.Permanent("%s", problem)
	}
	return fitted, nil
}

// problem names the first reply that is past a limit; empty where none is.
func (c checked) problem(replies []*wactorv1.Reply) string {
	if n := len(replies); n > MaxReplies {
		return fmt.Sprintf("replies: %d in one turn, at most %d", n, MaxReplies)
	}
	for i, reply := range replies {
		if err := c.check(reply); err != nil {
			return fmt.Sprintf("replies[%d]: %v", i, err)
		}
	}
	return ""
}

// fit returns the answer with replies that pass. It changes a copy of those that do not: a bot in
// Go may hand out the same ones again.
func (c checked) fit(answer *conversation.Answer) *conversation.Answer {
	out := *answer
	out.Replies = nil
	var notes []string
	if answer.Note != "" {
		notes = append(notes, answer.Note)
	}
	for i, reply := range answer.Replies {
		if c.check(reply) == nil {
			out.Replies = append(out.Replies, reply)
			continue
		}
		noter := &fitNotes{notes: &notes, index: i}
		for _, part := range fit.Append(nil, proto.Clone(reply).(*wactorv1.Reply), noter) {
			if err := c.check(part); err != nil {
				notes = append(notes, fmt.Sprintf("replies[%d] was left out: %v", i, err))
				continue
			}
			out.Replies = append(out.Replies, part)
		}
	}
	if n := len(out.Replies); n > MaxReplies {
		out.Replies = out.Replies[:MaxReplies]
		notes = append(notes, fmt.Sprintf("%d replies past %d were left out", n-MaxReplies, MaxReplies))
	}
	out.Note = strings.Join(notes, "; ")
	return &out
}

// fitNotes notes what was changed of a reply.
type fitNotes struct {
	notes *[]string
	index int
}

// Changed implements fit.Noter.
func (n *fitNotes) Changed(change string, _ bool) {
	*n.notes = append(*n.notes, fmt.Sprintf("replies[%d]: %s", n.index, change))
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
