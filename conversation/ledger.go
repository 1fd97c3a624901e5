package conversation

import (
	"bytes"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/internal/planted"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// ledger is the only machine that writes. It collects what a step changes into a draft, makes one
// commit of it, and holds back what may be said only once a commit is applied. Of the head it owns
// the numbers of journal and dead letters, the generations of message ids, and clean.
type ledger struct {
	// nowMs is the time of the step; effects are what the step asks of the caller so far.
	nowMs   int64
	effects []Effect

	id    ID
	cfg   *Config
	head  *wactorv1.Head
	chain chain
	draft draft
	// pending is what the store can't know yet, and what waits for it.
	pending pending
}

// chain is where the commits of this activation stand.
type chain struct {
	// revision is that of the last commit made, applied that of the last one known to be applied.
	revision, applied uint64
	// follows: a commit was made already.
	follows bool
	// working says that the work index holds this conversation, as of revision.
	working bool
	// clean is Head.clean as of revision.
	clean bool
}

// draft collects the changes of a step.
type draft struct {
	dirty   bool
	puts    []*wactorv1.Put
	deletes []*wactorv1.Key
	journal []*wactorv1.JournalEntry
	seen    []seen
	// format is that of the log entry (Commit.Format).
	format uint32
}

// seen is an id to be remembered, and what is kept of it.
type seen struct {
	id    string
	value []byte
}

// pending is what commits that are not applied yet hold.
type pending struct {
	// ids maps message ids and status keys to the commit that holds them.
	ids map[string]uint64
	// letters are the dead letters that such a commit removes.
	letters map[uint64]bool
	// last is the newest dead letter of this activation: alike ones are folded into it.
	last      *wactorv1.DeadLetter
	responses []response
}

// response is a delivery that is answered once its commit is applied.
type response struct {
	ref      uint64
	revision uint64
	verdict  Verdict
	// instead, where set, is done in place of a Respond.
	instead Effect
}

func newLedger(id ID, cfg *Config) ledger {
	return ledger{id: id, cfg: cfg, pending: pending{ids: map[string]uint64{}},
		head: &wactorv1.Head{NextInbox: 1, NextOutbox: 1, NextDead: 1, NextJournal: 1, FirstJournal: 1}}
}

func (l *ledger) effect(e Effect) { l.effects = append(l.effects, e) }

// takeEffects ends a step.
func (l *ledger) takeEffects() []Effect {
	effects := l.effects
	l.effects = nil
	return effects
}

// next is the revision of the commit that the draft will be.
func (l *ledger) next() uint64 { return l.chain.revision + 1 }

// applied reports whether a commit is applied.
func (l *ledger) applied(revision uint64) bool { return revision <= l.chain.applied }

// committing reports whether commits are on their way.
func (l *ledger) committing() bool { return l.chain.applied < l.chain.revision }

// full reports whether as many commits are on their way as may be.
func (l *ledger) full() bool {
	return l.chain.revision-l.chain.applied >= uint64(l.cfg.Limits.Pipeline)
}

// touch makes a commit of this step: a machine changed its part of the head.
func (l *ledger) touch() { l.draft.dirty = true }

// begin notes that the conversation came into being.
func (l *ledger) begin() { l.head.CreatedMs = l.nowMs }

// put puts a record and returns its size in bytes.
func (l *ledger) put(kind wactorv1.RecordKind, suffix []byte, value proto.Message) int {
	encoded := encode(value)
	l.putBytes(kind, suffix, encoded)
	return len(encoded)
}

// putBytes puts a value, or an index's key without one. It and delete leave at most one change of a
// key in the draft, the last one: a commit's puts and deletes have no order.
func (l *ledger) putBytes(kind wactorv1.RecordKind, suffix, value []byte) {
	l.touch()
	l.draft.deletes = slices.DeleteFunc(l.draft.deletes, func(key *wactorv1.Key) bool {
		return key.Kind == kind && bytes.Equal(key.Suffix, suffix)
	})
	l.draft.puts = append(l.draft.puts, &wactorv1.Put{Kind: kind, Suffix: suffix, Value: value})
}

func (l *ledger) delete(kind wactorv1.RecordKind, suffix []byte) {
	l.touch()
	l.draft.puts = slices.DeleteFunc(l.draft.puts, func(put *wactorv1.Put) bool {
		return put.Kind == kind && bytes.Equal(put.Suffix, suffix)
	})
	l.draft.deletes = append(l.draft.deletes, &wactorv1.Key{Kind: kind, Suffix: suffix})
}

// respond answers a delivery when the draft is applied.
func (l *ledger) respond(ref uint64, verdict Verdict) {
	if planted.Is(planted.AcceptedBeforeCommit) {
		l.effect(Respond{Ref: ref, Verdict: verdict})
		return
	}
	l.pending.responses = append(l.pending.responses, response{ref: ref, revision: l.next(), verdict: verdict})
}

// respondAt answers a delivery when a commit is applied: at once, where it is.
func (l *ledger) respondAt(revision uint64, ref uint64, verdict Verdict) {
	if l.applied(revision) {
		l.effect(Respond{Ref: ref, Verdict: verdict})
		return
	}
	l.pending.responses = append(l.pending.responses, response{ref: ref, revision: revision, verdict: verdict})
}

// whenApplied does something once all that was decided so far is on disk.
func (l *ledger) whenApplied(effect Effect) {
	revision := l.chain.revision
	if l.draft.dirty {
		revision++
	}
	if l.applied(revision) {
		l.effect(effect)
		return
	}
	l.pending.responses = append(l.pending.responses, response{revision: revision, instead: effect})
}

// committed releases what waited for commits up to revision.
func (l *ledger) committed(revision uint64) {
	l.chain.applied = max(l.chain.applied, revision)
	l.pending.responses = slices.DeleteFunc(l.pending.responses, func(r response) bool {
		switch {
		case !l.applied(r.revision):
			return false
		case r.instead != nil:
			l.effect(r.instead)
		default:
			l.effect(Respond{Ref: r.ref, Verdict: r.verdict})
		}
		return true
	})
	for id, revision := range l.pending.ids { //lint:order nothing is output
		if l.applied(revision) {
			delete(l.pending.ids, id)
		}
	}
}

// awaited reports whether a delivery waits for the newest commit.
func (l *ledger) awaited() bool {
	return slices.ContainsFunc(l.pending.responses, func(r response) bool { return r.revision == l.chain.revision })
}

// open begins the commit of the draft: what is decided from here on belongs to its revision.
func (l *ledger) open(clean bool) {
	l.chain.clean, l.head.Clean = clean, clean
	l.chain.revision++
}

// commit makes the commit that open began. Unfinished says whether work remains for the next
// activation, lazy that nothing waits for the commit.
func (l *ledger) commit(unfinished, lazy bool) {
	l.flushSeen()
	l.flushJournal()
	l.flushWork(unfinished)
	l.put(wactorv1.RecordKind_RECORD_KIND_HEAD, nil, l.head)
	l.effect(Commit{Revision: l.chain.revision, Journal: l.draft.journal, Command: &wactorv1.Commit{
		Conversation: l.id.String(), BaseRevision: l.chain.revision - 1, Puts: l.draft.puts, Deletes: l.draft.deletes,
		Follows: l.chain.follows,
	}, Lazy: lazy, Format: l.draft.format})
	l.chain.follows = true
	l.draft = draft{}
}

// flushWork keeps the index by which the next activation finds unfinished work without the user
// writing again.
func (l *ledger) flushWork(unfinished bool) {
	if unfinished == l.chain.working {
		return
	}
	l.chain.working = unfinished
	if unfinished {
		l.putBytes(wactorv1.RecordKind_RECORD_KIND_WORK, nil, nil)
		return
	}
	l.delete(wactorv1.RecordKind_RECORD_KIND_WORK, nil)
}

// encode can't fail: only invalid UTF-8 could make it. The codecs keep it out of messages and
// statuses, turns.check out of replies.
func encode(m proto.Message) []byte {
	out, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic("conversation: a record can't be encoded: " + err.Error())
	}
	return out
}

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

// remember adds an id to those that were accepted, with a value that is nil for most.
func (l *ledger) remember(id string, value []byte) {
	l.draft.seen = append(l.draft.seen, seen{id, value})
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
	for _, s := range l.draft.seen {
		l.draft.puts = append(l.draft.puts, &wactorv1.Put{
			Kind: wactorv1.RecordKind_RECORD_KIND_SEEN, Suffix: record.Seen(generation, s.id), Value: s.value,
		})
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

// statusKey is the key under which a status is remembered beside the message ids, so that a
// repeated one is recognised. It starts with a byte that no provider's message id starts with.
func statusKey(replyID, status string) string { return "\x00" + status + "\x00" + replyID }

// StatusKeys are the keys under which a status may be known: its own, and those of statuses that
// say more. A message that was read was delivered, so that a "delivered" which comes later says
// nothing; and one that failed has failed.
func StatusKeys(replyID, status string) []string {
	keys := []string{statusKey(replyID, status)}
	for _, more := range []string{"delivered", "read", "played", "failed"} {
		if statusRank(more) > statusRank(status) {
			keys = append(keys, statusKey(replyID, more))
		}
	}
	return keys
}
