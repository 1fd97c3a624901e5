package conversation

import (
	"slices"

	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// GenerationMs is the length of a generation of message ids. Ids are written to the generation of
// their arrival and forgotten a whole generation at a time: no scan, no index by time, one range
// deletion. Part of the stored format.
const GenerationMs = 3 * 24 * 3600 * 1000

// Generation returns the generation of a time (Unix milliseconds).
func Generation(ms int64) uint32 { return uint32(ms / GenerationMs) }

// ForgetBefore returns the first generation that is still needed at a time under a deduplication
// window.
func ForgetBefore(nowMs, windowMs int64) uint32 { return Generation(max(0, nowMs-windowMs)) }

// Generations returns where the store may hold message ids of this conversation. A conversation
// that is new, or whose user was silent for longer than the window, has none and costs no look-up.
func (c *Conversation) Generations() []uint32 { return c.ledger.head.SeenGenerations }

// remember adds an id to those that were accepted.
func (l *ledger) remember(id string) {
	l.draft.seen = append(l.draft.seen, id)
	l.pending.ids[id] = l.next()
}

func (l *ledger) flushSeen() {
	needed := ForgetBefore(l.nowMs, l.cfg.DedupWindow.Milliseconds())
	l.head.SeenGenerations = slices.DeleteFunc(l.head.SeenGenerations, func(g uint32) bool { return g < needed })
	if len(l.draft.seen) == 0 {
		return
	}
	generation := Generation(l.nowMs)
	if !slices.Contains(l.head.SeenGenerations, generation) {
		l.head.SeenGenerations = append(l.head.SeenGenerations, generation)
	}
	for _, id := range l.draft.seen {
		suffix := record.Seen(generation, id)
		l.draft.puts = append(l.draft.puts, &wactorv1.Put{Kind: wactorv1.RecordKind_RECORD_KIND_SEEN, Suffix: suffix})
	}
}

// statusRank orders statuses: a voice message that was played was read, one that was read was
// delivered, and one that was delivered was sent.
func statusRank(status string) int {
	switch status {
	case "sent":
		return 1
	case "delivered":
		return 2
	case "read":
		return 3
	case "played":
		return 4
	case "failed":
		return 5
	}
	return 0
}

// StatusKey is the key under which a status is remembered beside the message ids, so that a
// repeated one is recognised. It starts with a byte that no provider's message id starts with.
func StatusKey(replyID, status string) string { return "\x00" + status + "\x00" + replyID }

// StatusKeys are the keys under which a status may be known: its own, and those of statuses that
// say more. A message that was read was delivered, so that a "delivered" which comes later says
// nothing; and one that failed has failed.
func StatusKeys(replyID, status string) []string {
	keys := []string{StatusKey(replyID, status)}
	for _, more := range []string{"delivered", "read", "played", "failed"} {
		if statusRank(more) > statusRank(status) {
			keys = append(keys, StatusKey(replyID, more))
		}
	}
	return keys
}
