package conversation

import (
	"slices"

	"github.com/wactor/wactor/conversation/policy"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// maxPresses bounds the taps that are remembered: who taps more options than that within the time
// to debounce is not tapping one of them twice.
const maxPresses = 8

// spare says why a tap is absorbed; empty where it is to be run.
func (c *Conversation) spare(m *wactorv1.Message) (reason string, answer *wactorv1.Reply) {
	if m.Choice == nil || m.ContextId == "" {
		return "", nil
	}
	if c.pressedAgain(m) {
		return "the same option was tapped just before", nil
	}
	if c.cfg.Taps.Stale == policy.Accept || !c.isStale(m.ContextId) {
		return "", nil
	}
	if c.cfg.Taps.Stale == policy.Answer {
		answer = textReply(c.cfg.Taps.StaleReply)
	}
	return "the prompt is no longer the newest", answer
}

// pressedAgain notes a tap, and reports whether the last one on the same option is too young. Each
// tap counts from the one before it, so that drumming is one tap however long it lasts.
func (c *Conversation) pressedAgain(m *wactorv1.Message) bool {
	window := c.cfg.Taps.Debounce.Milliseconds()
	if window == 0 {
		return false
	}
	again := false
	c.head.Presses = slices.DeleteFunc(c.head.Presses, func(p *wactorv1.Press) bool {
		young := c.nowMs-p.AtMs <= window
		same := p.Prompt == m.ContextId && p.Option == m.Choice.Id
		again = again || young && same
		return !young || same
	})
	if len(c.head.Presses) == maxPresses {
		c.head.Presses = c.head.Presses[1:]
	}
	c.head.Presses = append(c.head.Presses, &wactorv1.Press{Prompt: m.ContextId, Option: m.Choice.Id, AtMs: c.nowMs})
	return again
}

// isStale reports whether a newer prompt than this one has left, or is about to. While a prompt's
// send is under way its id is not known here, and a tap on it looks like one on a stranger: it is
// taken as fresh.
func (c *Conversation) isStale(prompt string) bool {
	for i := len(c.outbox) - 1; i >= 0; i-- {
		if !hasOptions(c.outbox[i].reply.Reply) {
			continue
		}
		underway := i == 0 && (c.send.phase == sendInFlight || c.send.phase == sendInDoubt)
		return !underway || prompt == c.head.Prompt
	}
	return c.head.Prompt != "" && prompt != c.head.Prompt
}

// hasOptions reports whether a user can tap on a reply and thereby answer it.
func hasOptions(reply *wactorv1.Reply) bool {
	switch reply.GetContent().(type) {
	case *wactorv1.Reply_Buttons, *wactorv1.Reply_List:
		return true
	}
	return false
}
