package conversation

import (
	"hash/fnv"
	"slices"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// maxSaid bounds the replies that are remembered: bots that answer each other repeat one or a few.
const maxSaid = 4

// say posts a reply of a turn (version), or of the configuration (0), unless it was said too often
// lately.
func (o *outbox) say(reply *wactorv1.Reply, version uint64, answers string) {
	if !o.repeats(reply) {
		o.post(reply, version, answers)
		return
	}
	o.ledger.deadLetter(&wactorv1.DeadLetter{
		Reason: "loop guard: the same reply was said too often to this user",
		Reply:  &wactorv1.OutboxReply{Reply: reply, Version: version, CreatedMs: o.ledger.nowMs, Answers: answers},
	})
}

// repeats counts a reply, and reports whether it was said too often lately.
func (o *outbox) repeats(reply *wactorv1.Reply) bool {
	guard, nowMs := &o.cfg.LoopGuard, o.ledger.nowMs
	if guard.Repeats == 0 {
		return false
	}
	hash := fnv.New32a()
	hash.Write(encode(reply))
	sum := hash.Sum32()
	o.said = slices.DeleteFunc(o.said, func(s *wactorv1.Said) bool {
		return nowMs-s.SinceMs >= guard.Window.Milliseconds()
	})
	for _, said := range o.said {
		if said.Hash == sum {
			said.Count++
			return int(said.Count) > guard.Repeats
		}
	}
	if len(o.said) == maxSaid {
		o.said = slices.Delete(o.said, 0, 1)
	}
	o.said = append(o.said, &wactorv1.Said{Hash: sum, Count: 1, SinceMs: nowMs})
	return false
}
