package conversation

import (
	"hash/fnv"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation/policy"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// guard keeps two bots from answering each other for ever, and a bot from talking to itself. It
// sees three signs: the same reply again and again; a user who answers each reply at once, or after
// ever the same time; and timers that speak while the user is silent.
type guard struct {
	said []*wactorv1.Said
	talk *wactorv1.Talk
}

const (
	// maxSaid bounds the replies that are remembered: bots that answer each other repeat one or a
	// few.
	maxSaid = 4
	// A user who answers within atOnceMs is a machine, or had begun to write before; one who takes
	// longer than pauseMs is a person.
	atOnceMs = 1000
	pauseMs  = 60_000
)

// storedFrom is how many exchanges there must be before they are stored: most users never have so
// many, and a crash may forget a few.
const storedFrom = 4

func (g *guard) load(h *wactorv1.Head) { g.said, g.talk = h.Said, h.Talk }

func (g *guard) save(h *wactorv1.Head) {
	h.Said, h.Talk = g.said, nil
	if g.talk.GetExchanges() >= storedFrom || g.talk.GetUnasked() > 0 {
		h.Talk = g.talk
	}
}

// sumOf is a reply's checksum, by which the guard recognizes it. It fails where the reply can't be
// encoded.
func sumOf(reply *wactorv1.Reply) (uint32, error) {
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(reply)
	hash := fnv.New32a()
	hash.Write(encoded)
	return hash.Sum32(), err
}

// sayText says a text of the configuration.
func (o *outbox) sayText(text string, from origin) {
	reply := textReply(text)
	sum, err := sumOf(reply)
	if err != nil {
		return // the configuration is checked: its texts are valid UTF-8
	}
	o.say(reply, sum, from)
}

// say posts a reply with its checksum, unless the loop guard holds it back.
func (o *outbox) say(reply *wactorv1.Reply, sum uint32, from origin) {
	reason := o.guard.holds(&o.cfg.LoopGuard, sum, from.answers == "", o.ledger.nowMs)
	if reason == "" {
		o.post(reply, from)
		return
	}
	o.ledger.deadLetter(&wactorv1.DeadLetter{
		Reason: "loop guard: " + reason,
		Reply: &wactorv1.OutboxReply{Reply: reply, Version: from.version, CreatedMs: o.ledger.nowMs,
			Answers: from.answers},
	})
}

// holds says why a reply is held back; empty where it is not. Unasked says that no message is
// answered by it.
func (g *guard) holds(p *policy.LoopGuard, sum uint32, unasked bool, nowMs int64) string {
	switch {
	case g.repeats(p, sum, nowMs):
		return "the same reply was said too often to this user"
	case p.Exchanges > 0 && g.talk.GetExchanges() >= uint32(p.Exchanges):
		g.sent(nowMs) // the next answer to it shows whether a person is there
		return "the user answers as a machine does"
	case unasked && p.Unasked > 0 && g.speaksUnasked(p, nowMs):
		return "timers said too much while the user was silent"
	}
	return ""
}

// sent notes that a reply left.
func (g *guard) sent(nowMs int64) {
	if g.talk == nil {
		g.talk = &wactorv1.Talk{}
	}
	g.talk.SentMs = nowMs
}

// userWrote notes that the user wrote. Only the first message behind a reply is an answer to it: a
// burst of messages is no loop.
func (g *guard) userWrote(nowMs int64) {
	t := g.talk
	if t == nil {
		return
	}
	t.Unasked = 0
	if t.SentMs == 0 {
		return
	}
	delay := max(nowMs-t.SentMs, 0)
	t.SentMs = 0
	least, most := min(t.LeastMs, delay), max(t.MostMs, delay)
	switch regular := most <= atOnceMs || most <= least+least/4+500; {
	case delay > pauseMs:
		t.Exchanges = 0
	case t.Exchanges > 0 && regular:
		t.Exchanges++
		t.LeastMs, t.MostMs = least, most
	default:
		t.Exchanges, t.LeastMs, t.MostMs = 1, delay, delay
	}
}

// speaksUnasked counts a reply that answers no message, and reports whether there were too many.
func (g *guard) speaksUnasked(p *policy.LoopGuard, nowMs int64) bool {
	if g.talk == nil {
		g.talk = &wactorv1.Talk{}
	}
	t := g.talk
	if t.Unasked == 0 || nowMs-t.UnaskedSinceMs >= p.Window.Milliseconds() {
		t.Unasked, t.UnaskedSinceMs = 0, nowMs
	}
	t.Unasked++
	return int(t.Unasked) > p.Unasked
}

// repeats counts a reply, and reports whether it was said too often lately.
func (g *guard) repeats(p *policy.LoopGuard, sum uint32, nowMs int64) bool {
	if p.Repeats == 0 {
		return false
	}
	g.said = slices.DeleteFunc(g.said, func(s *wactorv1.Said) bool {
		return nowMs-s.SinceMs >= p.Window.Milliseconds()
	})
	for _, said := range g.said {
		if said.Hash == sum {
			said.Count++
			return int(said.Count) > p.Repeats
		}
	}
	if len(g.said) == maxSaid {
		g.said = slices.Delete(g.said, 0, 1)
	}
	g.said = append(g.said, &wactorv1.Said{Hash: sum, Count: 1, SinceMs: nowMs})
	return false
}
