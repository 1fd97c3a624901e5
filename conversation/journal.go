package conversation

import (
	"strings"

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

// noteResolved marks the newest journal entry as what resolved the in-doubt reply.
func (l *ledger) noteResolved(outcome string) {
	l.draft.journal[len(l.draft.journal)-1].Doubt = outcome
}

// readable makes UTF-8 of a reason, which a bot or a provider may have put anything into: nothing
// else can be stored.
func readable(reason string) string { return strings.ToValidUTF8(reason, "?") }

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

// deadLetter keeps what could not be processed.
func (l *ledger) deadLetter(letter *wactorv1.DeadLetter) {
	letter.Seq, letter.AtMs, letter.Reason = l.head.NextDead, l.nowMs, readable(letter.Reason)
	l.head.NextDead++
	l.head.DeadLetters++
	l.put(wactorv1.RecordKind_RECORD_KIND_DEAD, record.Number(letter.Seq), letter)
	l.note(&wactorv1.JournalEntry{
		Kind: wactorv1.JournalKind_JOURNAL_KIND_DEAD_LETTER, Reason: letter.Reason, MessageSeqs: seqs(letter.Messages),
		ReplySeq: letter.Reply.GetSeq(),
	})
}

// removeLetter takes a dead letter out, in the name of a principal; false where it is gone already.
func (l *ledger) removeLetter(ref uint64, letter *wactorv1.DeadLetter, by, reason string) bool {
	if letter == nil || l.pending.letters[letter.Seq] {
		l.effect(Respond{Ref: ref, Verdict: Duplicate})
		return false
	}
	if l.pending.letters == nil {
		l.pending.letters = map[uint64]bool{}
	}
	l.pending.letters[letter.Seq] = true
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
