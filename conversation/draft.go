package conversation

import (
	"bytes"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// draft collects the changes of a step; flush makes one commit of them.
type draft struct {
	dirty   bool
	puts    []*wactorv1.Put
	deletes []*wactorv1.Key
	journal []*wactorv1.JournalEntry
	seen    []string
}

func (c *Conversation) put(kind wactorv1.RecordKind, suffix []byte, value proto.Message) {
	c.putBytes(kind, suffix, encode(value))
}

// putIndex puts a key without a value.
func (c *Conversation) putIndex(kind wactorv1.RecordKind, suffix []byte) {
	c.putBytes(kind, suffix, nil)
}

// putBytes and delete leave at most one change of a key in the draft, the last one: a commit's puts
// and deletes have no order.
func (c *Conversation) putBytes(kind wactorv1.RecordKind, suffix, value []byte) {
	c.draft.dirty = true
	c.draft.deletes = slices.DeleteFunc(c.draft.deletes, func(key *wactorv1.Key) bool {
		return key.Kind == kind && bytes.Equal(key.Suffix, suffix)
	})
	c.draft.puts = append(c.draft.puts, &wactorv1.Put{Kind: kind, Suffix: suffix, Value: value})
}

func (c *Conversation) delete(kind wactorv1.RecordKind, suffix []byte) {
	c.draft.dirty = true
	c.draft.puts = slices.DeleteFunc(c.draft.puts, func(put *wactorv1.Put) bool {
		return put.Kind == kind && bytes.Equal(put.Suffix, suffix)
	})
	c.draft.deletes = append(c.draft.deletes, &wactorv1.Key{Kind: kind, Suffix: suffix})
}

// note adds an entry to the journal.
func (c *Conversation) note(entry *wactorv1.JournalEntry) {
	c.draft.dirty = true
	entry.AtMs = c.nowMs
	entry.Reason = readable(entry.Reason)
	c.draft.journal = append(c.draft.journal, entry)
}

// readable makes UTF-8 of a reason, which a bot or a provider may have put anything into: nothing
// else can be stored.
func readable(reason string) string { return strings.ToValidUTF8(reason, "?") }

func (c *Conversation) setState(state []byte) {
	c.state = state
	if state == nil {
		c.delete(wactorv1.RecordKind_RECORD_KIND_STATE, nil)
		return
	}
	c.putBytes(wactorv1.RecordKind_RECORD_KIND_STATE, nil, state)
}

// flush makes a commit of the draft.
func (c *Conversation) flush() {
	clean := c.stopping && c.send.phase != sendInFlight && c.send.phase != sendInDoubt
	if clean && !c.clean && len(c.outbox) > 0 {
		c.draft.dirty = true
	}
	if !c.draft.dirty {
		return
	}
	c.clean = clean
	c.revision++
	c.flushInbox()
	c.flushSeen()
	c.flushJournal()
	c.flushWork()
	c.head.Clean = clean
	c.put(wactorv1.RecordKind_RECORD_KIND_HEAD, nil, c.head)
	c.effect(Commit{Revision: c.revision, Journal: c.draft.journal, Command: &wactorv1.Commit{
		Conversation: c.id.String(), BaseRevision: c.revision - 1, Puts: c.draft.puts, Deletes: c.draft.deletes,
		Follows: c.follows,
	}, Lazy: c.quiet()})
	c.follows = true
	c.draft = draft{}
}

// quiet reports whether nothing waits for the newest commit.
func (c *Conversation) quiet() bool {
	awaited := func(r response) bool { return r.revision == c.revision }
	if timer, _ := c.dueTimer(); timer != nil {
		return false // its turn waits for the one before
	}
	return c.turn == nil && len(c.inbox)+len(c.outbox) == 0 && !c.linking() && !c.stopping &&
		!slices.ContainsFunc(c.responses, awaited)
}

// flushInbox writes the messages that no turn of this very commit has consumed.
func (c *Conversation) flushInbox() {
	for i := range c.inbox {
		if w := &c.inbox[i]; !w.written {
			c.put(wactorv1.RecordKind_RECORD_KIND_INBOX, record.Number(w.message.Seq), w.message)
			w.written = true
		}
	}
}

func (c *Conversation) flushSeen() {
	needed := ForgetBefore(c.nowMs, c.cfg.DedupWindow.Milliseconds())
	c.head.SeenGenerations = slices.DeleteFunc(c.head.SeenGenerations, func(g uint32) bool { return g < needed })
	if len(c.draft.seen) == 0 {
		return
	}
	generation := Generation(c.nowMs)
	if !slices.Contains(c.head.SeenGenerations, generation) {
		c.head.SeenGenerations = append(c.head.SeenGenerations, generation)
	}
	for _, id := range c.draft.seen {
		suffix := record.Seen(generation, id)
		c.draft.puts = append(c.draft.puts, &wactorv1.Put{Kind: wactorv1.RecordKind_RECORD_KIND_SEEN, Suffix: suffix})
	}
}

// flushJournal writes the entries as one record and drops the oldest record past those that are
// kept.
func (c *Conversation) flushJournal() {
	if len(c.draft.journal) == 0 {
		return
	}
	c.put(wactorv1.RecordKind_RECORD_KIND_JOURNAL, record.Number(c.head.NextJournal),
		&wactorv1.Journal{Entries: c.draft.journal})
	c.head.NextJournal++
	// Two a commit, so that a smaller KeepJournal than before is reached in time without one huge
	// commit.
	for range 2 {
		if c.head.NextJournal-c.head.FirstJournal > c.cfg.KeepJournal {
			c.delete(wactorv1.RecordKind_RECORD_KIND_JOURNAL, record.Number(c.head.FirstJournal))
			c.head.FirstJournal++
		}
	}
}

// flushWork keeps the index by which the next activation finds unfinished work without the user
// writing again.
func (c *Conversation) flushWork() {
	unfinished := c.Unfinished()
	if unfinished == c.working {
		return
	}
	c.working = unfinished
	if unfinished {
		c.putIndex(wactorv1.RecordKind_RECORD_KIND_WORK, nil)
		return
	}
	c.delete(wactorv1.RecordKind_RECORD_KIND_WORK, nil)
}

// encode can't fail: only invalid UTF-8 could make it. The codecs keep it out of messages and
// statuses, answered out of replies.
func encode(m proto.Message) []byte {
	out, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic("conversation: a record can't be encoded: " + err.Error())
	}
	return out
}
