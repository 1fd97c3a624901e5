package admin

import (
	"fmt"
	"time"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// The verdicts of a trace.
const (
	verdictBroken  = "broken"
	verdictWaiting = "waiting"
	verdictInOrder = "in_order"
)

// pile is what of one kind waits in a conversation: how many, and since when the first of them.
type pile struct {
	count   uint64
	sinceMs int64
}

func (p *pile) add(sinceMs int64) {
	if p.count++; p.count == 1 || sinceMs < p.sinceMs {
		p.sinceMs = sinceMs
	}
}

// waiting tells what waits in a conversation, since when and for what. heldSince and heldFor are
// those of its channel.
func (v *view) waiting(heldSince time.Time, heldFor string) []*wactorv1.Waiting {
	var all []*wactorv1.Waiting
	owner := v.head.GetOwnership()
	paused := owner.GetOwner() != wactorv1.Owner_OWNER_UNSPECIFIED
	if (v.inbox.count > 0 || v.head.RetryTimer != "") && !paused {
		all = append(all, v.waitingMessages())
	}
	if v.outbox.count > 0 {
		all = append(all, v.waitingReplies(heldSince, heldFor))
	}
	if v.dead.count > 0 {
		all = append(all, &wactorv1.Waiting{For: wactorv1.WaitsFor_WAITS_FOR_OPERATOR, Count: v.head.DeadLetters,
			SinceMs: v.dead.sinceMs, Reason: v.deadReason})
	}
	if paused {
		all = append(all, &wactorv1.Waiting{For: wactorv1.WaitsFor_WAITS_FOR_PERSON, Count: v.inbox.count,
			SinceMs: owner.SinceMs, AgainMs: owner.UntilMs, Reason: takenBy(owner)})
	}
	return all
}

func (v *view) waitingMessages() *wactorv1.Waiting {
	w := &wactorv1.Waiting{For: wactorv1.WaitsFor_WAITS_FOR_BOT, Count: v.inbox.count, SinceMs: v.inbox.sinceMs}
	if v.head.Attempts == 0 {
		return w
	}
	w.For, w.AgainMs = wactorv1.WaitsFor_WAITS_FOR_RETRY, v.head.RetryAtMs
	w.Reason = fmt.Sprintf("%d attempts failed", v.head.Attempts)
	if failed := v.last(wactorv1.JournalKind_JOURNAL_KIND_BOT_FAILED); failed != nil {
		w.Reason += ", the last one at " + clock(failed.AtMs) + ": " + failed.Reason
	}
	if w.Count == 0 { // a timer's turn
		w.Count, w.SinceMs = 1, v.head.RetryAtMs
	}
	return w
}

func (v *view) waitingReplies(heldSince time.Time, heldFor string) *wactorv1.Waiting {
	w := &wactorv1.Waiting{For: wactorv1.WaitsFor_WAITS_FOR_PROVIDER, Count: v.outbox.count, SinceMs: v.outbox.sinceMs}
	failed, doubtful := v.last(wactorv1.JournalKind_JOURNAL_KIND_SEND_FAILED),
		v.last(wactorv1.JournalKind_JOURNAL_KIND_IN_DOUBT)
	switch {
	case !heldSince.IsZero():
		w.For = wactorv1.WaitsFor_WAITS_FOR_CHANNEL
		w.Reason = "the channel can't send since " + clock(heldSince.UnixMilli()) + ": " + heldFor
	case doubtful != nil && doubtful.ReplySeq == v.firstReply:
		w.For, w.Reason = wactorv1.WaitsFor_WAITS_FOR_STATUS, "the fate of an attempt at "+clock(doubtful.AtMs)+
			" is unknown"
	case failed != nil && failed.ReplySeq == v.firstReply:
		w.Reason = "the last attempt failed at " + clock(failed.AtMs) + ": " + failed.Reason
	}
	return w
}

// last is the newest journal entry of a kind; nil where none is kept.
func (v *view) last(kind wactorv1.JournalKind) *wactorv1.JournalEntry {
	for i := len(v.trace.Entries) - 1; i >= 0; i-- {
		if e := v.trace.Entries[i]; e.Kind == kind {
			return e
		}
	}
	return nil
}

// takenBy says who has taken a conversation from the bot, and why.
func takenBy(owner *wactorv1.Ownership) string {
	if owner.Reason == "" {
		return "taken by " + owner.By
	}
	return "taken by " + owner.By + ": " + owner.Reason
}

// clock is a time as reasons show it.
func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

// verdict sums a trace up.
func verdict(t *wactorv1.ConversationTrace) string {
	switch {
	case len(t.Violations) > 0:
		return verdictBroken
	case len(t.Waiting) > 0:
		return verdictWaiting
	}
	return verdictInOrder
}
