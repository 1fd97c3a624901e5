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
func (c *Conversation) say(reply *wactorv1.Reply, version uint64, answers string) {
	if !c.repeats(reply) {
		c.post(reply, version, answers)
		return
	}
	c.deadLetter(&wactorv1.DeadLetter{
		Reason: "loop guard: the same reply was said too often to this user",
		Reply:  &wactorv1.OutboxReply{Reply: reply, Version: version, CreatedMs: c.nowMs, Answers: answers},
	})
}

// repeats counts a reply, and reports whether it was said too often lately.
func (c *Conversation) repeats(reply *wactorv1.Reply) bool {
	guard := &c.cfg.LoopGuard
	if guard.Repeats == 0 {
		return false
	}
	hash := fnv.New32a()
	hash.Write(encode(reply))
	sum := hash.Sum32()
	c.head.Said = slices.DeleteFunc(c.head.Said, func(s *wactorv1.Said) bool {
		return c.nowMs-s.SinceMs >= guard.Window.Milliseconds()
	})
	for _, said := range c.head.Said {
		if said.Hash == sum {
			said.Count++
			return int(said.Count) > guard.Repeats
		}
	}
	if len(c.head.Said) == maxSaid {
		c.head.Said = slices.Delete(c.head.Said, 0, 1)
	}
	c.head.Said = append(c.head.Said, &wactorv1.Said{Hash: sum, Count: 1, SinceMs: c.nowMs})
	return false
}
