// Package audit holds a conversation's journal against what package conversation promises.
package audit

import (
	"fmt"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Journal reads the journal of a conversation, oldest entry first, and returns what contradicts the
// promises: a gap in the versions, turns that overlap, a message in two turns, replies that left
// out of order or twice. Where the journal is trimmed, the chain is checked from the first turn
// that is kept.
func Journal(entries []*wactorv1.JournalEntry, trimmed bool) []string {
	a := audit{turns: map[uint64]uint64{}, taken: map[uint64]bool{}, started: trimmed}
	for _, e := range entries {
		switch e.Kind {
		case wactorv1.JournalKind_JOURNAL_KIND_TURN:
			a.turn(e)
		case wactorv1.JournalKind_JOURNAL_KIND_SENT:
			if a.taken[e.ReplySeq] {
				a.violation("reply %d was sent twice", e.ReplySeq)
			}
			a.taken[e.ReplySeq] = true
			if e.ReplySeq < a.lastReply {
				a.violation("reply %d was sent after reply %d", e.ReplySeq, a.lastReply)
			}
			a.lastReply = e.ReplySeq
		}
	}
	return a.violations
}

type audit struct {
	started    bool // the first turn need not be version 1
	version    uint64
	endMs      int64
	lastReply  uint64
	turns      map[uint64]uint64 // message to the version of its turn
	taken      map[uint64]bool
	violations []string
}

func (a *audit) violation(format string, args ...any) {
	a.violations = append(a.violations, fmt.Sprintf(format, args...))
}

func (a *audit) turn(e *wactorv1.JournalEntry) {
	if a.started && a.version == 0 {
		a.version = e.VersionBefore
	}
	if e.VersionBefore != a.version || e.VersionAfter != e.VersionBefore+1 {
		a.violation("turn from version %d to %d follows version %d", e.VersionBefore, e.VersionAfter, a.version)
	}
	if e.StartedMs < a.endMs {
		a.violation("turn %d began %d ms before the one before it ended", e.VersionAfter, a.endMs-e.StartedMs)
	}
	a.version, a.endMs = e.VersionAfter, e.AtMs
	for _, seq := range e.MessageSeqs {
		if other, again := a.turns[seq]; again {
			a.violation("message %d is in turn %d and in turn %d", seq, other, e.VersionAfter)
		}
		a.turns[seq] = e.VersionAfter
	}
}
