package conversation

import (
	"hash/fnv"
	"slices"

	"github.com/wactor/wactor/conversation/policy"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// maxPresses bounds the taps that are remembered: who taps more options than that within the time
// to debounce is not tapping one of them twice.
const maxPresses = 8

// spare says why a tap is absorbed, and with what text it is answered; empty where it is to be run.
func (c *Conversation) spare(m *wactorv1.Message) (reason, answer string) {
	taps := &c.ledger.cfg.Taps
	switch {
	case m.Choice == nil || m.ContextId == "":
		return "", ""
	case c.inbox.pressedAgain(m):
		return "the same option was tapped just before", ""
	case taps.Stale == policy.Accept || !c.outbox.superseded(m.ContextId):
		return "", ""
	case taps.Stale == policy.Answer:
		answer = taps.StaleReply
	}
	return "the prompt is no longer the newest", answer
}

// pressedAgain notes a tap, and reports whether the last one on the same option is too young. Each
// tap counts from the one before it, so that drumming is one tap however long it lasts.
func (b *inbox) pressedAgain(m *wactorv1.Message) bool {
	window := b.cfg.Taps.Debounce.Milliseconds()
	if window == 0 {
		return false
	}
	again, nowMs, hash := false, b.ledger.nowMs, pressHash(m)
	b.presses = slices.DeleteFunc(b.presses, func(p *wactorv1.Press) bool {
		young := nowMs-p.AtMs <= window
		same := p.Hash == hash
		again = again || young && same
		return !young || same
	})
	if len(b.presses) == maxPresses {
		b.presses = b.presses[1:]
	}
	b.presses = append(b.presses, &wactorv1.Press{Hash: hash, AtMs: nowMs})
	return again
}

// pressHash stands for a tap: prompts and options may have long ids, and the head is written with
// every commit.
func pressHash(m *wactorv1.Message) uint64 {
	hash := fnv.New64a()
	hash.Write([]byte(m.ContextId))
	hash.Write([]byte{0})
	hash.Write([]byte(m.Choice.Id))
	return hash.Sum64()
}

// superseded reports whether a newer prompt than this one has left, or is about to. While a
// prompt's send is under way its id is not known here, and a tap on it looks like one on a
// stranger: it is taken as fresh.
func (o *outbox) superseded(prompt string) bool {
	for i := len(o.replies) - 1; i >= 0; i-- {
		if !hasOptions(o.replies[i].reply.Reply) {
			continue
		}
		underway := i == 0 && o.send.uncertain()
		return !underway || prompt == o.taken.prompt
	}
	return o.taken.prompt != "" && prompt != o.taken.prompt
}

// hasOptions reports whether a user can tap on a reply and thereby answer it.
func hasOptions(reply *wactorv1.Reply) bool {
	switch reply.GetContent().(type) {
	case *wactorv1.Reply_Buttons, *wactorv1.Reply_List:
		return true
	}
	return false
}
