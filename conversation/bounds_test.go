package conversation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation/policy"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// headBytes is what every commit writes of the head.
func (w *world) headBytes() int {
	return len(w.records[recordKey(wactorv1.RecordKind_RECORD_KIND_HEAD, nil)])
}

// TestTapsAreRememberedAsHashes: the head, which every commit writes, does not grow with the ids of
// prompts and options.
func TestTapsAreRememberedAsHashes(t *testing.T) {
	cfg := plainConfig(false)
	cfg.Taps.Debounce = time.Minute
	w := newWorld(cfg)
	for i := range maxPresses {
		w.tap(fmt.Sprint("m", i), fmt.Sprint(i, strings.Repeat("x", 1<<16)), fmt.Sprint(i, strings.Repeat("y", 1<<16)))
		w.comeToRest()
	}
	if got := w.headBytes(); got > 1000 {
		t.Errorf("the head has %d bytes after taps with long ids", got)
	}
	w.tap("again", fmt.Sprint(0, strings.Repeat("x", 1<<16)), fmt.Sprint(0, strings.Repeat("y", 1<<16)))
	if w.comeToRest(); w.c.Version() != maxPresses {
		t.Error("a tap that was made again had a turn")
	}
}

// TestTimersCantFillTheOutbox: a bot whose timer rings at once, for ever, with twenty new texts
// each time. No turn runs while the outbox is full, timers ring once a second, and the loop guard
// holds back what is said to a user who is silent.
func TestTimersCantFillTheOutbox(t *testing.T) {
	for name, guard := range map[string]policy.LoopGuard{
		"guarded": {Repeats: 20, Window: 5 * time.Minute, Unasked: 50}, "unguarded": {},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := plainConfig(false)
			cfg.Limits.Inbox, cfg.LoopGuard = 100, guard
			w := newWorld(cfg)
			w.deliver("m1", w.nowMs)
			w.keepUp()
			turns, said := 0, 0
			for end := w.nowMs + 600_000; w.nowMs < end; w.nowMs += 50 {
				w.tick()
				w.keepUp()
				if w.call == nil {
					continue
				}
				turns++
				answer := &Answer{State: []byte("{}"), Timers: []SetTimer{{Name: "t", After: time.Millisecond}}}
				for range MaxReplies - 1 {
					said++
					answer.Replies = append(answer.Replies, text(fmt.Sprint("new ", said)))
				}
				w.resets = true
				w.answerWith(answer)
				w.keepUp()
			}
			if waiting := w.c.Backlog().Replies; waiting > 100+MaxReplies {
				t.Errorf("%d replies wait", waiting)
			}
			if turns > 601 {
				t.Errorf("%d turns within ten minutes", turns)
			}
			if kept := w.c.outbox.next; guard.Unasked > 0 && kept > 2*50+2*MaxReplies+1 {
				t.Errorf("%d replies were posted to a silent user", kept)
			}
		})
	}
}

// TestOutboxIsBoundedInBytes: large replies fill it as many do.
func TestOutboxIsBoundedInBytes(t *testing.T) {
	w := newWorld(plainConfig(false))
	o := &w.c.outbox
	for range 3 {
		o.post(text(strings.Repeat("x", maxOutboxBytes/2)), origin{version: 1})
	}
	if !o.full() {
		t.Error("three replies of 8 MiB do not fill the outbox")
	}
}

// TestLettersAlikeAreFolded: a user whose every message fails makes few records, of which nothing
// is lost: each message is in one, and is tried again with it.
func TestLettersAlikeAreFolded(t *testing.T) {
	w := newWorld(plainConfig(false))
	const messages = 100
	for i := range messages {
		w.deliver(fmt.Sprint("m", i), w.nowMs)
		w.keepUp()
		turn := w.call.Turn
		w.call = nil
		w.step(Failed{Turn: turn, Reason: "it always fails"})
		w.comeToRest()
	}
	letters, kept := w.letters(), 0
	for _, letter := range letters {
		kept += len(letter.Messages)
		if n := max(letter.Count, 1); int(n) != len(letter.Messages) {
			t.Errorf("letter %d counts %d and holds %d messages", letter.Seq, n, len(letter.Messages))
		}
	}
	if kept != messages || len(letters) > foldAfter+1+messages/foldMessages ||
		w.c.ledger.head.DeadLetters != uint64(len(letters)) {
		t.Errorf("%d letters (the head counts %d) hold %d messages of %d", len(letters), w.c.ledger.head.DeadLetters,
			kept, messages)
	}
}

// TestFoldedLetterIsTriedAgainWhole: an operator who read a letter before another one was folded
// into it tries both again.
func TestFoldedLetterIsTriedAgainWhole(t *testing.T) {
	c := New(ID{Channel: "shop", User: "49151"}, Config{}.WithDefaults())
	letter := func(id string) *wactorv1.DeadLetter {
		return &wactorv1.DeadLetter{Reason: "r", Messages: []*wactorv1.Message{{Id: id, Type: "text"}}}
	}
	c.ledger.head.DeadLetters = foldAfter + 1
	first := letter("m1")
	c.ledger.deadLetter(first)
	read := proto.CloneOf(first)
	c.ledger.deadLetter(letter("m2"))
	c.Step(1, Retried{Ref: 1, Letter: read})
	if waiting := c.Backlog().Messages; waiting != 2 {
		t.Errorf("%d messages wait, want both", waiting)
	}
	c.ledger.deadLetter(letter("m3"))
	if len(first.Messages) != 2 {
		t.Error("a letter was folded into one that is gone")
	}
}

// TestLettersAreBounded: what fails behind a thousand letters is in the journal alone.
func TestLettersAreBounded(t *testing.T) {
	c := New(ID{Channel: "shop", User: "49151"}, Config{}.WithDefaults())
	for i := range maxLetters + 5 {
		c.ledger.deadLetter(&wactorv1.DeadLetter{Reason: fmt.Sprint("reason ", i)})
	}
	last := c.ledger.draft.journal[len(c.ledger.draft.journal)-1]
	if c.ledger.head.DeadLetters != maxLetters || !strings.Contains(last.Reason, "not kept") {
		t.Errorf("%d letters, the last entry says %q", c.ledger.head.DeadLetters, last.Reason)
	}
}

// TestReplaysWriteNothing: a message that is posted again and again makes no commit, and does not
// push the history out of the journal.
func TestReplaysWriteNothing(t *testing.T) {
	w := newWorld(plainConfig(false))
	w.deliver("m1", w.nowMs)
	w.comeToRest()
	revision := w.c.Revision()
	for range 1000 {
		w.deliver("m1", w.nowMs)
		w.keepUp()
	}
	if w.c.Revision() != revision {
		t.Errorf("%d commits for replays", w.c.Revision()-revision)
	}
	w.deliver("m2", w.nowMs)
	w.comeToRest()
	duplicates := 0
	for _, e := range w.journal() {
		if e.Kind == wactorv1.JournalKind_JOURNAL_KIND_DUPLICATE {
			duplicates++
			if e.Count != 1000 {
				t.Errorf("the entry stands for %d duplicates", e.Count)
			}
		}
	}
	if duplicates != 1 {
		t.Errorf("%d entries for one message's replays", duplicates)
	}
}

// TestLoopsWhoseTextChangesAreSeen: a user who answers as a machine does receives nothing more
// after a while, and a person is never held back.
func TestLoopsWhoseTextChangesAreSeen(t *testing.T) {
	for name, test := range map[string]struct {
		delays []int64 // milliseconds from a reply to the user's answer, over and over
		loop   bool
	}{
		"at once":                {[]int64{3, 400, 80}, true},
		"a model, 5 s each":      {[]int64{5000, 5300, 4800, 5100}, true},
		"a person":               {[]int64{4000, 9000, 2500, 21000, 6000}, false},
		"a person who taps fast": {[]int64{1500, 2400, 1200, 3100}, false},
		"a slow person":          {[]int64{70_000, 70_100}, false},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := plainConfig(false)
			cfg.LoopGuard = policy.LoopGuard{Exchanges: 30}
			w := newWorld(cfg)
			for i := range 120 {
				w.deliver(fmt.Sprint("count ", i), w.nowMs)
				w.comeToRest()
				w.nowMs += test.delays[i%len(test.delays)]
			}
			if held := len(w.letters()) > 0; held != test.loop || int(w.c.Version()) != 120 {
				t.Errorf("held back: %v, want %v; %d turns", held, test.loop, w.c.Version())
			}
			if len(w.taken) < 30 {
				t.Errorf("only %d replies left", len(w.taken))
			}
			w.nowMs += 90_000
			before := len(w.taken)
			w.deliver("a person again", w.nowMs)
			if w.comeToRest(); len(w.taken) != before+1 {
				t.Error("a person who comes back gets no answer")
			}
		})
	}
}

// TestBurstsAreNoLoop: messages that are written without waiting for an answer say nothing of who
// writes them.
func TestBurstsAreNoLoop(t *testing.T) {
	cfg := plainConfig(false)
	cfg.Limits.Inbox, cfg.LoopGuard = 1000, policy.LoopGuard{Exchanges: 3}
	w := newWorld(cfg)
	for i := range 100 {
		w.deliver(fmt.Sprint("m", i), w.nowMs)
		w.keepUp()
		w.nowMs++
	}
	w.comeToRest()
	if letters := w.letters(); len(letters) > 0 {
		t.Errorf("%d replies to a burst were held back: %s", len(letters), letters[0].Reason)
	}
}
