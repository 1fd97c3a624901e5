package conversation

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sort"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// world is everything around a conversation: a store that applies commits one by one, a bot, a
// provider and gateways, all under the control of the test. A crash drops the conversation and
// everything in memory between any two effects.
type world struct {
	cfg   *Config
	id    ID
	nowMs int64
	c     *Conversation

	records  map[string][]byte // applied, by kind and suffix
	revision uint64
	proposed []Commit // made, not applied yet; the first is the next to apply

	pending  []Effect // effects not performed yet
	call     *CallBot
	late     []*Turn                    // of cancelled calls that have not returned
	town     *town                      // of other identities; may be nil
	asks     map[uint64]func(ReplyPeer) // open questions of others
	resets   bool                       // sessions end, so that the state may begin anew
	silent   bool                       // no status of any reply comes on the channel
	inFlight *Send
	alarm    int64

	refs      map[uint64]string // open deliveries
	nextRef   uint64
	verdicts  []string
	acked     map[string]bool
	delivered map[string]*wactorv1.Message

	taken    []uint64 // replies in the order in which the provider took them
	takenIDs map[uint64]string
	inDoubt  map[uint64]bool
}

func newWorld(cfg Config) *world {
	w := &world{
		cfg: cfg.WithDefaults(), id: ID{Channel: "shop", User: "49151"}, nowMs: 1_700_000_000_000,
		records: map[string][]byte{}, refs: map[uint64]string{}, acked: map[string]bool{},
		asks: map[uint64]func(ReplyPeer){}, delivered: map[string]*wactorv1.Message{}, takenIDs: map[uint64]string{},
		inDoubt: map[uint64]bool{},
	}
	w.load()
	return w
}

func (w *world) load() {
	loader := NewLoader(w.id, w.cfg)
	keys := make([]string, 0, len(w.records))
	for key := range w.records {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		if err := loader.Record(wactorv1.RecordKind(key[0]), []byte(key[1:]), w.records[key]); err != nil {
			panic(err)
		}
	}
	w.c = loader.Done(w.revision)
	w.step(Started{})
}

// crash loses the memory. Of the commits under way the first n reach the log all the same.
func (w *world) crash(n int) {
	for range min(n, len(w.proposed)) {
		w.apply()
	}
	unfinished := w.unread() > 0 && !w.paused() || w.count(wactorv1.RecordKind_RECORD_KIND_OUTBOX) > 0 || w.linking()
	if indexed := w.count(wactorv1.RecordKind_RECORD_KIND_WORK) == 1; indexed != unfinished {
		panic(fmt.Sprintf("unfinished work: %v, in the index: %v", unfinished, indexed))
	}
	w.checkTimers()
	w.c, w.proposed, w.pending, w.call, w.late, w.inFlight, w.alarm = nil, nil, nil, nil, nil, nil, 0
	w.refs, w.asks = map[uint64]string{}, map[uint64]func(ReplyPeer){}
	w.load()
}

// checkTimers panics where the index of due times and the timers differ, or the index of paused
// conversations is wrong. While the bot does not own the conversation, its own return is the only
// thing that is due.
func (w *world) checkTimers() {
	due, back := map[string]int64{}, w.storedHead().GetOwnership()
	if indexed := w.count(wactorv1.RecordKind_RECORD_KIND_PAUSED) == 1; indexed != w.paused() {
		panic(fmt.Sprintf("paused: %v, in the index: %v", w.paused(), indexed))
	}
	if w.paused() {
		want := 0
		if back.UntilMs != 0 {
			want = 1
			if _, ok := w.records[recordKey(wactorv1.RecordKind_RECORD_KIND_DUE, record.Due(back.UntilMs,
				resumeTimer))]; !ok {
				panic("the end of a pause is not in the index of due times")
			}
		}
		if n := w.count(wactorv1.RecordKind_RECORD_KIND_DUE); n != want {
			panic(fmt.Sprintf("%d entries are in the index of due times of a paused conversation, want %d", n, want))
		}
		return
	}
	for key := range w.records {
		if key[0] == byte(wactorv1.RecordKind_RECORD_KIND_DUE) {
			due[key[9:]] = int64(binary.BigEndian.Uint64([]byte(key[1:9])))
		}
	}
	timers := w.count(wactorv1.RecordKind_RECORD_KIND_TIMER)
	if timers != len(due) || timers != w.count(wactorv1.RecordKind_RECORD_KIND_DUE) {
		panic(fmt.Sprintf("%d timers, due index %v", timers, due))
	}
	for name, at := range due {
		var timer wactorv1.Timer
		if err := proto.Unmarshal(w.records[recordKey(wactorv1.RecordKind_RECORD_KIND_TIMER, []byte(name))],
			&timer); err != nil || timer.DueMs != at {
			panic(fmt.Sprintf("timer %s is due at %d, the index says %d", name, timer.DueMs, at))
		}
	}
}

// storedHead is the head in the store.
func (w *world) storedHead() *wactorv1.Head {
	head := &wactorv1.Head{}
	if err := proto.Unmarshal(w.records[recordKey(wactorv1.RecordKind_RECORD_KIND_HEAD, nil)], head); err != nil {
		panic(err)
	}
	return head
}

// linking reports whether the stored head has open claims or a merge.
func (w *world) linking() bool {
	head := w.storedHead()
	return len(head.Claims) > 0 || head.YieldsTo != ""
}

// paused reports whether another one than the bot owns the conversation, as the store knows it.
func (w *world) paused() bool { return w.storedHead().GetOwnership().GetOwner() != 0 }

// step queues the effects of an event; perform performs them one by one.
func (w *world) step(event Event) {
	effects := w.c.Step(w.nowMs, event)
	w.guardOwner(effects)
	w.pending = append(w.pending, effects...)
}

// performOne performs the oldest effect; false where there is none.
func (w *world) performOne() bool {
	if len(w.pending) == 0 {
		return false
	}
	effect := w.pending[0]
	w.pending = w.pending[1:]
	if w.town != nil && w.town.perform(w, effect) {
		return true
	}
	switch e := effect.(type) {
	case Commit:
		w.proposed = append(w.proposed, e)
	case Respond:
		id, open := w.refs[e.Ref]
		if !open {
			panic(fmt.Sprintf("delivery %d was answered twice", e.Ref))
		}
		delete(w.refs, e.Ref)
		w.verdicts = append(w.verdicts, fmt.Sprintf("%s %s", id, e.Verdict))
		if e.Verdict != Overloaded {
			w.acked[id] = true
		}
	case CallBot:
		if w.call != nil && !w.c.stopping {
			panic("two turns overlap")
		}
		w.call = &e
	case CancelBot:
		if w.call != nil && w.call.Turn == e.Turn {
			w.call = nil
			w.late = append(w.late, e.Turn)
		}
	case Send:
		if w.inFlight != nil && !slices.Contains(w.taken, w.inFlight.Seq) {
			// else a status reported that the provider has the first, though its answer is not here
			// yet
			panic("two sends overlap")
		}
		w.inFlight = &e
	case Alarm:
		w.alarm = e.AtMs
	}
	return true
}

// apply puts the next commit into the store, as a shard's state machine does.
func (w *world) apply() {
	commit := w.proposed[0]
	w.proposed = w.proposed[1:]
	if commit.Command.BaseRevision != w.revision {
		panic(fmt.Sprintf("commit names revision %d, the store is at %d", commit.Command.BaseRevision, w.revision))
	}
	w.revision = commit.Revision
	for _, put := range commit.Command.Puts {
		w.records[recordKey(put.Kind, put.Suffix)] = put.Value
	}
	for _, key := range commit.Command.Deletes {
		delete(w.records, recordKey(key.Kind, key.Suffix))
	}
}

func recordKey(kind wactorv1.RecordKind, suffix []byte) string {
	return string(append([]byte{byte(kind)}, suffix...))
}

// tick lets the alarm ring.
func (w *world) tick() {
	tick := Ticked{StatusMs: w.nowMs}
	if w.silent {
		tick.StatusMs = 0
	}
	w.step(tick)
}

// deliver hands a message to the conversation as a gateway does. Its first delivery fixes what it
// holds.
func (w *world) deliver(id string, sentMs int64) {
	w.deliverMessage(&wactorv1.Message{Id: id, Type: "text", Text: id, SentMs: sentMs})
}

// tap delivers a tap on an option of a prompt.
func (w *world) tap(id, prompt, option string) {
	w.deliverMessage(&wactorv1.Message{
		Id: id, Type: "button_reply", Text: option, SentMs: w.nowMs, ContextId: prompt,
		Choice: &wactorv1.Choice{Id: option, Title: option},
	})
}

func (w *world) deliverMessage(message *wactorv1.Message) {
	id := message.Id
	if first, again := w.delivered[id]; again {
		message = first
	} else {
		w.delivered[id] = message
	}
	w.deliverAs(id, message, &wactorv1.User{WaId: w.id.User})
}

// deliverAs delivers a message of a user, or of type system a report of the user's ids.
func (w *world) deliverAs(id string, message *wactorv1.Message, user *wactorv1.User) {
	message = proto.CloneOf(message)
	message.ReceivedMs = w.nowMs
	w.nextRef++
	w.refs[w.nextRef] = id
	e := Arrived{Ref: w.nextRef, Message: message, User: user, Known: w.known(id), Node: "n1"}
	if message.Type == typeSystem {
		w.step(IdentityChanged(e))
		return
	}
	w.step(e)
}

// ref makes a reference for a delivery of a name.
func (w *world) ref(name string) uint64 {
	w.nextRef++
	w.refs[w.nextRef] = name
	return w.nextRef
}

// echo delivers what a person wrote on the business's phone.
func (w *world) echo(id string) {
	w.step(Echoed{Ref: w.ref(id), Known: w.known(id), User: &wactorv1.User{WaId: w.id.User},
		Message: &wactorv1.Message{Id: id, Type: "text", Text: id, SentMs: w.nowMs, ReceivedMs: w.nowMs}})
}

func (w *world) known(id string) bool {
	for _, g := range w.c.Generations() {
		suffix := append(binary.BigEndian.AppendUint32(nil, g), id...)
		if _, ok := w.records[recordKey(wactorv1.RecordKind_RECORD_KIND_SEEN, suffix)]; ok {
			return true
		}
	}
	return false
}

// status delivers a status of a reply.
func (w *world) status(out *OutboxView, status string) {
	w.statusArrived(StatusArrived{ReplyID: out.ID, Status: status, ProviderID: fmt.Sprintf("wamid.r%d", out.Seq)})
}

func (w *world) statusArrived(e StatusArrived) {
	w.nextRef++
	w.refs[w.nextRef] = "status:" + e.Status
	e.Ref, e.AtMs, e.Known = w.nextRef, w.nowMs, slices.ContainsFunc(StatusKeys(e.ReplyID, e.Status), w.known)
	e.Reply, _ = SentReply(&wactorv1.Journal{Entries: w.journal()}, e.ReplyID)
	w.step(e)
}

// OutboxView is what a provider knows of a reply.
type OutboxView struct {
	Seq uint64
	ID  string
}

// take makes the provider take the reply that is on its way.
func (w *world) take() {
	seq := w.inFlight.Seq
	w.taken = append(w.taken, seq)
	w.takenIDs[seq] = w.inFlight.Outgoing.ReplyID
}

func (w *world) sendDone(result provider.Result) {
	inFlight := w.inFlight
	w.inFlight = nil
	w.step(SendDone{Seq: inFlight.Seq, Try: inFlight.Try, Result: result})
}

// answer makes the bot answer: the state counts turns, the reply names the turn and its message.
func (w *world) answer() { w.answerWith(&Answer{}) }

// answerWith fills an answer with state and replies.
func (w *world) answerWith(answer *Answer) {
	turn := w.call.Turn
	w.call = nil
	if got := string(turn.State); got != stateOf(turn.Version) && !w.resets {
		panic(fmt.Sprintf("turn %d reads state %q", turn.Version+1, turn.State))
	}
	if answer.State == nil {
		answer.State = []byte(stateOf(turn.Version + 1))
	}
	for _, m := range turn.Messages {
		answer.Replies = append(answer.Replies, text(fmt.Sprintf("step %d: %s", turn.Version+1, m.Text)))
	}
	if turn.Timer != nil {
		answer.Replies = append(answer.Replies, text(fmt.Sprintf("step %d: timer %s", turn.Version+1, turn.Timer.Name)))
	}
	w.step(Answered{Turn: turn, Answer: answer, BotMicros: 7})
}

func stateOf(version uint64) string {
	if version == 0 {
		return ""
	}
	return fmt.Sprintf(`{"n":%d}`, version)
}

func text(body string) *wactorv1.Reply {
	return &wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: body}}
}

// journal returns the applied journal in order.
func (w *world) journal() []*wactorv1.JournalEntry {
	var keys []string
	for key := range w.records {
		if key[0] == byte(wactorv1.RecordKind_RECORD_KIND_JOURNAL) {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	var entries []*wactorv1.JournalEntry
	for _, key := range keys {
		var journal wactorv1.Journal
		if err := proto.Unmarshal(w.records[key], &journal); err != nil {
			panic(err)
		}
		entries = append(entries, journal.Entries...)
	}
	return entries
}

func (w *world) count(kind wactorv1.RecordKind) int {
	n := 0
	for key := range w.records {
		if key[0] == byte(kind) {
			n++
		}
	}
	return n
}

// unread counts the messages that wait for a turn, without events and history.
func (w *world) unread() int {
	n := 0
	for key, value := range w.records {
		var message wactorv1.Message
		if key[0] != byte(wactorv1.RecordKind_RECORD_KIND_INBOX) {
			continue
		}
		if err := proto.Unmarshal(value, &message); err != nil {
			panic(err)
		}
		if !message.Event && !message.History {
			n++
		}
	}
	return n
}

// letter reads a dead letter; nil where there is none of that number.
func (w *world) letter(seq uint64) *wactorv1.DeadLetter {
	value, ok := w.records[recordKey(wactorv1.RecordKind_RECORD_KIND_DEAD, record.Number(seq))]
	if !ok {
		return nil
	}
	letter := &wactorv1.DeadLetter{}
	if err := proto.Unmarshal(value, letter); err != nil {
		panic(err)
	}
	return letter
}
