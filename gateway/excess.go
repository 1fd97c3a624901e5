package gateway

import (
	"fmt"

	"github.com/wactor/wactor/conversation"
)

// One webhook may hold ten thousand messages of one user, or as many pieces that can't be read. An
// inbox never takes the former, so that the provider would send all of it again for a week; and
// each of the latter would be a dead letter. What is past a bound is kept in one dead letter, up to
// another bound, and counted.
const (
	// maxUnread is how many dead letters one webhook may make by itself.
	maxUnread = 100
	// maxExcess bounds the one that keeps all others, in bytes.
	maxExcess = 256 << 10
)

// excess collects what is past a bound, as a JSON list.
type excess struct {
	raw        []byte
	kept, left int
}

func (e *excess) add(raw []byte) {
	if len(e.raw)+len(raw)+2 > maxExcess {
		e.left++
		return
	}
	separator := byte(',')
	if e.kept++; e.kept == 1 {
		separator, e.raw = '[', make([]byte, 0, maxExcess)
	}
	e.raw = append(append(e.raw, separator), raw...)
}

// fits reports whether a conversation may get one more message out of this webhook.
func (w *webhook) fits(to conversation.ID) bool {
	if len(w.out) < w.MaxMessages && w.waiting == nil {
		return true
	}
	if w.waiting == nil {
		w.waiting = map[conversation.ID]int{}
		for _, e := range w.out {
			w.waiting[e.To]++
		}
	}
	w.waiting[to]++
	return w.waiting[to] <= w.MaxMessages
}

// keepExcess makes the dead letter.
func (w *webhook) keepExcess() {
	if w.excess.kept+w.excess.left == 0 {
		return
	}
	reason := fmt.Sprintf("one webhook held %d pieces more than are kept apart: %d are in this letter, %d are only "+
		"counted",
		w.excess.kept+w.excess.left, w.excess.kept, w.excess.left)
	w.metrics.excess.Add(float64(w.excess.kept + w.excess.left))
	w.notices.unread(w.channel, reason)
	w.letter(w.channel, reason, append(w.excess.raw, ']'))
}
