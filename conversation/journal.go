package conversation

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/internal/planted"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// note adds an entry to the journal.
func (l *ledger) note(entry *wactorv1.JournalEntry) {
	l.touch()
	entry.AtMs = l.nowMs
	entry.Reason = readable(entry.Reason)
	l.draft.journal = append(l.draft.journal, entry)
}

// maxDuplicates bounds the entries about duplicates in one commit: more are counted in the last
// one.
const maxDuplicates = 20

// noteDuplicate adds an entry about a message that was accepted before, or counts it in one that is
// there. It alone makes no commit: who sends one message a thousand times writes nothing.
func (l *ledger) noteDuplicate(entry *wactorv1.JournalEntry) {
	n := 0
	for _, e := range slices.Backward(l.draft.journal) {
		if e.Kind != wactorv1.JournalKind_JOURNAL_KIND_DUPLICATE {
			continue
		}
		if n++; e.MessageId == entry.MessageId || n == maxDuplicates {
			e.Count = max(e.Count, 1) + 1
			return
		}
	}
	dirty := l.draft.dirty
	l.note(entry)
	l.draft.dirty = dirty
}

// noteResolved marks the newest journal entry as what resolved the in-doubt reply.
func (l *ledger) noteResolved(outcome string) {
	l.draft.journal[len(l.draft.journal)-1].Doubt = outcome
}

// notSent is the entry about a reply that is not sent, since the bot lost the conversation.
func notSent(reply *wactorv1.OutboxReply) *wactorv1.JournalEntry {
	return &wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_WITHDRAWN, ReplySeq: reply.Seq, VersionAfter: reply.Version,
		Reason: "the conversation has another owner",
	}
}

// maxReason bounds a reason, in bytes.
const maxReason = 1000

// readable makes UTF-8 of a reason, which a bot or a provider may have put anything into: nothing
// else can be stored.
func readable(reason string) string {
	return strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "?")
}

// flushJournal writes the entries as one record and drops the oldest record past those that are
// kept.
func (l *ledger) flushJournal() {
	if len(l.draft.journal) == 0 {
		return
	}
	l.put(wactorv1.RecordKind_RECORD_KIND_JOURNAL, record.Number(l.head.NextJournal),
		&wactorv1.Journal{Entries: l.draft.journal})
	l.head.NextJournal++
	// Two a commit, so that a smaller Limits.Journal than before is reached in time without one
	// huge commit.
	for range 2 {
		if l.head.NextJournal-l.head.FirstJournal > l.cfg.Limits.Journal {
			l.delete(wactorv1.RecordKind_RECORD_KIND_JOURNAL, record.Number(l.head.FirstJournal))
			l.head.FirstJournal++
		}
	}
}

// absorbed ends a message that was accepted and that no turn takes.
func (l *ledger) absorbed(message *wactorv1.Message, reason string) {
	l.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_ABSORBED, MessageSeqs: []uint64{message.Seq}, MessageId: message.Id,
		Reason: reason,
	})
}

// Dead letters are bounded: one user whose every message fails must not fill a disk.
const (
	// maxLetters is how many are kept of a conversation; what fails then is in the journal alone.
	maxLetters = 1000
	// Behind foldAfter letters, those that are alike share one: foldMessages of them, and
	// foldBytes.
	foldAfter    = 20
	foldMessages = 20
	foldBytes    = 256 << 10
)

// deadLetter keeps what could not be processed.
func (l *ledger) deadLetter(letter *wactorv1.DeadLetter) {
	letter.AtMs, letter.Reason = l.nowMs, readable(letter.Reason)
	entry := &wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_DEAD_LETTER, Reason: letter.Reason, MessageSeqs: seqs(letter.Messages),
		ReplySeq: letter.Reply.GetSeq(),
	}
	switch {
	case l.fold(letter):
	case l.head.DeadLetters >= maxLetters:
		entry.Reason += "; it is not kept, since 1000 dead letters wait already"
	default:
		letter.Seq = l.head.NextDead
		l.head.NextDead++
		l.head.DeadLetters++
		l.pending.last = letter
		l.put(wactorv1.RecordKind_RECORD_KIND_DEAD, record.Number(letter.Seq), letter)
	}
	l.note(entry)
}

// fold puts a letter into the newest one, where that is alike and has room.
func (l *ledger) fold(letter *wactorv1.DeadLetter) bool {
	last := l.pending.last
	if last == nil || l.head.DeadLetters <= foldAfter || !alike(last, letter) {
		return false
	}
	last.Messages = append(last.Messages, letter.Messages...)
	last.Count = max(last.Count, 1) + 1
	suffix := record.Number(last.Seq)
	l.delete(wactorv1.RecordKind_RECORD_KIND_DEAD, suffix) // a change of before in this draft
	l.put(wactorv1.RecordKind_RECORD_KIND_DEAD, suffix, last)
	return true
}

// alike reports whether two letters may be one: they failed for one reason, and nothing that only
// one of them holds is lost.
func alike(last, letter *wactorv1.DeadLetter) bool {
	return last.Reason == letter.Reason && last.Timer.GetName() == letter.Timer.GetName() &&
		(last.Reply == nil) == (letter.Reply == nil) &&
		proto.Equal(last.Reply.GetReply(), letter.Reply.GetReply()) &&
		len(last.Messages)+len(letter.Messages) <= foldMessages &&
		(len(letter.Messages) == 0 || proto.Size(last)+proto.Size(letter) <= foldBytes)
}

// newest returns a letter as it is now: alike ones may have been folded into it since it was read.
func (l *ledger) newest(letter *wactorv1.DeadLetter) *wactorv1.DeadLetter {
	if last := l.pending.last; last != nil && last.Seq == letter.GetSeq() {
		return last
	}
	return letter
}

// removeLetter takes a dead letter out, in the name of a principal; false where it is gone already.
func (l *ledger) removeLetter(ref uint64, letter *wactorv1.DeadLetter, by, reason string) bool {
	if letter == nil || l.pending.letters[letter.Seq] && !planted.Is(planted.RetriedTwice) {
		l.effect(Respond{Ref: ref, Verdict: Duplicate})
		return false
	}
	if l.pending.letters == nil {
		l.pending.letters = map[uint64]bool{}
	}
	l.pending.letters[letter.Seq] = true
	if l.newest(letter) == l.pending.last {
		l.pending.last = nil
	}
	l.delete(wactorv1.RecordKind_RECORD_KIND_DEAD, record.Number(letter.Seq))
	l.head.DeadLetters -= min(l.head.DeadLetters, 1)
	l.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_NOTE, Node: l.cfg.Node, MessageSeqs: seqs(letter.Messages),
		ReplySeq: letter.Reply.GetSeq(),
		Reason:   "dead letter " + reason, By: by,
	})
	l.respond(ref, Accepted)
	return true
}

func seqs(messages []*wactorv1.Message) []uint64 {
	out := make([]uint64, len(messages))
	for i, m := range messages {
		out[i] = m.Seq
	}
	return out
}
