package conversation

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// ownerActions are what people do in a random history: they take the conversation, give it back,
// and write on the business's phone.
func ownerActions(w *world) map[string]func(*rapid.T) {
	people := rapid.SampledFrom([]string{"ana", "ben"})
	return map[string]func(*rapid.T){
		"pause": func(t *rapid.T) {
			event := Paused{Ref: w.ref("pause"), By: people.Draw(t, "by"), Take: rapid.Bool().Draw(t, "take")}
			if seconds := rapid.Int64Range(0, 20).Draw(t, "until"); seconds > 0 {
				event.UntilMs = w.nowMs + seconds*1000
			}
			w.step(event)
		},
		"resume": func(t *rapid.T) {
			held := policy.Held(rapid.IntRange(0, 2).Draw(t, "held"))
			w.step(Resumed{Ref: w.ref("resume"), By: people.Draw(t, "by"), Held: &held})
		},
		"post": func(t *rapid.T) {
			key := fmt.Sprintf("p%d", rapid.IntRange(1, 4).Draw(t, "key"))
			w.postAs(key, text("from the shop, "+key), nil)
		},
		"event": func(t *rapid.T) {
			w.postAs(fmt.Sprintf("v%d", rapid.IntRange(1, 4).Draw(t, "key")), nil, &wactorv1.Event{Name: "shipped"})
		},
		"echo": func(t *rapid.T) {
			w.echo(fmt.Sprintf("echo%d", rapid.IntRange(1, 5).Draw(t, "echo")))
		},
	}
}

// postAs posts a reply or an event under a key.
func (w *world) postAs(key string, reply *wactorv1.Reply, event *wactorv1.Event) {
	w.step(Posted{Ref: w.ref("post " + key), By: "shop", Key: key, Sum: []byte(reply.GetText() + event.GetName()),
		Reply: reply, Event: event, Known: w.posted(key)})
}

// posted is what the store holds under a key.
func (w *world) posted(key string) *wactorv1.PostedKey {
	for _, g := range w.c.Generations() {
		value, ok := w.records[recordKey(wactorv1.RecordKind_RECORD_KIND_SEEN, record.Seen(g, PostedID(key)))]
		if known := (&wactorv1.PostedKey{}); ok {
			if err := proto.Unmarshal(value, known); err != nil {
				panic(err)
			}
			return known
		}
	}
	return nil
}

// guardOwner panics where a step lets the bot speak in a conversation that is not its own, or calls
// it there. A bot that gave the conversation away may say its last words.
func (w *world) guardOwner(effects []Effect) {
	for _, effect := range effects {
		switch e := effect.(type) {
		case CallBot:
			if w.c.ownership.paused() {
				panic("the bot is called while it does not own the conversation")
			}
		case Send:
			reply := w.c.outbox.replies[0].reply
			if reply.Withdrawn || w.c.ownership.paused() && reply.Author == "" && w.c.ownership.now.By != ByBot {
				panic(fmt.Sprintf("reply %d is sent while the bot does not own the conversation", e.Seq))
			}
		}
	}
}

// giveBack ends what people have begun, at rest: the conversation comes back to the bot, and a last
// message tells it what was said; false where there is nothing of that.
func (w *world) giveBack() bool {
	switch {
	case w.c.ownership.paused():
		w.step(Resumed{Ref: w.ref("resume"), By: "ana"})
	case len(w.c.inbox.history) > 0:
		w.deliver(fmt.Sprintf("last%d", len(w.delivered)), w.nowMs)
	default:
		return false
	}
	return true
}

// withdrawn are the replies that the journal says were not sent since the conversation had another
// owner.
func withdrawn(journal []*wactorv1.JournalEntry) (seqs []uint64) {
	for _, e := range journal {
		if e.Kind == wactorv1.JournalKind_JOURNAL_KIND_WITHDRAWN || e.Doubt == InDoubtParked {
			seqs = append(seqs, e.ReplySeq)
		}
	}
	return seqs
}

// TestHistoryIsBounded: the oldest words are absorbed where there are too many, or too large ones.
func TestHistoryIsBounded(t *testing.T) {
	for name, test := range map[string]struct{ size, count, kept int }{
		"count": {size: 10, count: 8, kept: 5},
		"bytes": {size: maxHistoryBytes / 3, count: 5, kept: 2},
	} {
		cfg := plainConfig(false)
		cfg.Handoff.Hold = 5
		w := newWorld(cfg)
		for i := range test.count {
			text := string(slices.Repeat([]byte("x"), test.size))
			w.step(Echoed{Ref: w.ref("echo"), User: &wactorv1.User{WaId: w.id.User},
				Message: &wactorv1.Message{Id: fmt.Sprint("e", i), Type: "text", Text: text, SentMs: w.nowMs}})
			w.keepUp()
		}
		if got := len(w.c.inbox.history); got != test.kept || w.c.Unfinished() {
			t.Errorf("%s: %d are kept, want %d; unfinished %v", name, got, test.kept, w.c.Unfinished())
		}
	}
}

// TestHandoffsOfAnAnswer: what can't be fails the turn with a reason.
func TestHandoffsOfAnAnswer(t *testing.T) {
	const nowMs = 1_700_000_000_000
	for want, handoff := range map[string]*Handoff{
		"":                                 {Note: "x", UntilMs: nowMs + 1},
		"a handoff must end ahead":         {UntilMs: nowMs},
		"a handoff must end within a year": {UntilMs: nowMs + MaxPause.Milliseconds() + 1},
		"the note of a handoff is longer than 200 characters": {Note: string(slices.Repeat([]byte("x"), MaxNote+1))},
	} {
		if got := handoff.unfit(nowMs); got != want {
			t.Errorf("%v: %q, want %q", handoff, got, want)
		}
	}
}

// TestAPauseComesWithAMerge: a person who answers one name of the user answers all of them.
func TestAPauseComesWithAMerge(t *testing.T) {
	w := newWorld(plainConfig(false))
	w.deliver("m1", w.nowMs)
	w.keepUp()
	w.answer()
	w.keepUp()
	w.asks[9] = func(ReplyPeer) {}
	w.step(MergeOffer{Ref: 9, From: "US.1", User: &wactorv1.User{UserId: "US.1"}, Known: []bool{false, false},
		Messages: []*wactorv1.Message{
			{Id: "m2", Seq: 1, Text: "m2"}, {Id: "e1", Seq: 2, History: true, Author: "ana"},
		},
		Ownership: &wactorv1.Ownership{Owner: wactorv1.Owner_OWNER_HUMAN, By: "ana"}})
	w.keepUp()
	if !w.c.ownership.paused() || len(w.c.inbox.waiting) != 1 || len(w.c.inbox.history) != 1 || w.call != nil {
		t.Errorf("after the merge: %v, %d held, %d of history, call %v", w.c.ownership.now, len(w.c.inbox.waiting),
			len(w.c.inbox.history), w.call)
	}
}
