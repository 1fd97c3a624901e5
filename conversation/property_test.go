package conversation

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wactor/wactor/conversation/audit"
	"github.com/wactor/wactor/conversation/policy"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// TestPromises runs random histories of deliveries, duplicates, bot failures, provider failures,
// waits and crashes between any two effects, lets everything come to rest, and checks what package
// conversation promises.
func TestPromises(t *testing.T) {
	for _, inline := range []bool{true, false} {
		t.Run(fmt.Sprintf("inline=%v", inline), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { runHistory(t, plainConfig(inline), false) })
		})
	}
}

// TestPromisesUnderPolicies does the same under random policies for bursts, order, taps, sessions
// and sending.
func TestPromisesUnderPolicies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { runHistory(t, drawPolicies(t), false) })
}

// TestPromisesWhileRulesChange replaces the rules at any moment, turns and sends under way.
func TestPromisesWhileRulesChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { runHistory(t, drawPolicies(t), true) })
}

func plainConfig(inline bool) Config {
	return Config{
		Node: "n1", Inline: inline, Limits: Limits{Inbox: 6, Pipeline: 5, Journal: 1 << 40},
		Retry:     policy.Retry{MaxAttempts: 3, Min: time.Second, Max: 4 * time.Second},
		InDoubt:   policy.InDoubt{Wait: 5 * time.Second},
		Handoff:   policy.Handoff{OnEcho: 8 * time.Second, Hold: 3},
		OnFailure: policy.OnFailure{Reply: "sorry"},
	}
}

func drawPolicies(t *rapid.T) Config {
	seconds := func(name string) time.Duration {
		return time.Duration(rapid.IntRange(0, 3).Draw(t, name)) * time.Second
	}
	cfg := plainConfig(rapid.Bool().Draw(t, "inline"))
	cfg.Burst = policy.Burst{
		Policy: rapid.SampledFrom([]policy.BurstPolicy{policy.Enqueue, policy.Merge, policy.Interrupt,
			policy.Reject}).Draw(t, "burst"),
		Quiet:   seconds("quiet"),
		MaxWait: seconds("max_wait"), MaxMessages: rapid.IntRange(1, 4).Draw(t, "max_messages"),
		Notice: "one moment",
	}
	cfg.Order = policy.Order{Hold: seconds("hold"), Late: policy.Late(rapid.IntRange(0, 1).Draw(t, "drop_late"))}
	cfg.Taps = policy.Taps{
		Debounce:   seconds("debounce"),
		Stale:      rapid.SampledFrom([]policy.Stale{policy.Accept, policy.Ignore, policy.Answer}).Draw(t, "stale"),
		StaleReply: "too late",
	}
	cfg.Session = policy.Session{Idle: 10 * seconds("idle"), Turn: rapid.Bool().Draw(t, "session_turn")}
	cfg.Sending = policy.Sending{
		PairBurst: rapid.IntRange(0, 2).Draw(t, "pair"), PairEvery: 6 * time.Second,
		Await: rapid.SampledFrom([]policy.Await{policy.AwaitNone, policy.AwaitSent,
			policy.AwaitDelivered}).Draw(t, "await"),
	}
	return cfg
}

func runHistory(t *rapid.T, cfg Config, changing bool) {
	w := newWorld(cfg)
	w.resets = cfg.Session.Idle > 0
	messages := 0
	message := func() string { return fmt.Sprintf("m%d", rapid.IntRange(1, max(1, messages)).Draw(t, "message")) }
	actions := map[string]func(*rapid.T){
		"new message": func(t *rapid.T) {
			messages++
			age := rapid.Int64Range(-3000, 3000).Draw(t, "age")
			w.deliver(fmt.Sprintf("m%d", messages), w.nowMs-age)
		},
		"tap": func(t *rapid.T) {
			messages++
			prompt := fmt.Sprintf("wamid.r%d", rapid.IntRange(1, 4).Draw(t, "prompt"))
			w.tap(fmt.Sprintf("m%d", messages), prompt, rapid.SampledFrom([]string{"yes", "no"}).Draw(t, "option"))
		},
		"interlude": func(t *rapid.T) { w.silent = rapid.Bool().Draw(t, "silent") },
		"again":     func(*rapid.T) { w.deliver(message(), w.nowMs) },
		"perform":   func(*rapid.T) { w.performOne() },
		"commit": func(t *rapid.T) {
			if len(w.proposed) == 0 {
				t.Skip("nothing is proposed")
			}
			w.apply()
			w.step(Committed{Revision: w.revision})
		},
		"bot": func(t *rapid.T) { w.runBot(t, rapid.IntRange(0, 9).Draw(t, "bot")) },
		"cancelled bot": func(t *rapid.T) {
			if len(w.late) == 0 {
				t.Skip("no call was cancelled")
			}
			turn := w.late[0]
			w.late = w.late[1:]
			w.step(Failed{Turn: turn, Retryable: rapid.Bool().Draw(t, "retryable"), Reason: "cancelled"})
		},
		"provider": func(t *rapid.T) {
			if w.inFlight == nil {
				t.Skip("nothing is on its way")
			}
			w.runProvider(rapid.IntRange(0, 7).Draw(t, "provider"))
		},
		"status": func(t *rapid.T) {
			if len(w.taken) == 0 {
				t.Skip("nothing was taken")
			}
			seq := rapid.SampledFrom(w.taken).Draw(t, "reply")
			w.status(&OutboxView{seq, w.takenIDs[seq]}, rapid.SampledFrom([]string{"sent", "delivered", "read"}).Draw(t,
				"status"))
		},
		"wait": func(t *rapid.T) {
			w.nowMs += rapid.Int64Range(1, 6000).Draw(t, "ms")
			w.tick()
		},
		"crash": func(t *rapid.T) { w.crash(rapid.IntRange(0, 4).Draw(t, "survive")) },
		"graceful restart": func(*rapid.T) {
			w.stopGracefully()
			w.crash(0)
		},
		"new rules": func(t *rapid.T) {
			if !changing {
				t.Skip("the rules stay")
			}
			next := drawPolicies(t)
			next.Session = cfg.Session // w.resets follows from it
			w.cfg = next.WithDefaults()
			w.c.Configure(w.cfg)
		},
		"": func(t *rapid.T) {
			w.answerInline()
			if rapid.IntRange(0, 3).Draw(t, "lag") < 3 {
				w.keepUp() // most of the time nothing lags, else the rarer things would hardly ever meet
			}
		},
	}
	maps.Copy(actions, ownerActions(w))
	t.Repeat(actions)
	w.comeToRest()
	w.check(t, messages)
}

// keepUp performs all effects and applies all commits.
func (w *world) keepUp() {
	for {
		w.answerInline()
		switch {
		case w.performOne():
		case len(w.proposed) > 0:
			w.apply()
			w.step(Committed{Revision: w.revision})
		default:
			return
		}
	}
}

// answerInline keeps the rule that an inline call is answered before any other event.
func (w *world) answerInline() {
	for w.c.turns.run.inline {
		if w.call == nil {
			if !w.performOne() {
				panic("an inline turn is under way and was not called")
			}
			continue
		}
		w.runBot(nil, int(w.call.Turn.Version+w.call.Turn.Messages[0].Seq)%6)
	}
}

// runBot ends the bot call under way in one of several ways.
func (w *world) runBot(t *rapid.T, way int) {
	if w.call == nil {
		if t != nil {
			t.Skip("no bot call")
		}
		return
	}
	turn, inline := w.call.Turn, w.call.Inline
	switch {
	case way == 3:
		w.call = nil
		w.step(Failed{Turn: turn, Retryable: true, Reason: "503"})
	case way == 4:
		w.call = nil
		w.step(Failed{Turn: turn, Reason: "panic"})
	case way == 5 && inline:
		w.call = nil
		w.step(Deferred{Turn: turn})
	case way == 6 && !inline:
		w.call = nil
		w.step(Failed{Turn: turn, Retryable: true, NotCalled: true, RetryAfter: 2 * time.Second})
	case way == 7:
		name := fmt.Sprintf("t%d", turn.Version%3)
		w.answerWith(&Answer{Timers: []SetTimer{{Name: name, After: time.Duration(1+turn.Version%4) * time.Second}}})
	case way == 8:
		prompt := &wactorv1.Reply{Content: &wactorv1.Reply_Buttons{Buttons: &wactorv1.Buttons{Body: "?"}}}
		w.answerWith(&Answer{CancelTimers: []string{"t0", "t1"}, Replies: []*wactorv1.Reply{prompt}})
	case way == 9:
		w.answerWith(&Answer{Handoff: &Handoff{UntilMs: w.nowMs + int64(1+turn.Version%3)*5000}})
	default:
		w.answer()
	}
}

// runProvider ends the send under way in one of several ways.
func (w *world) runProvider(way int) {
	switch way {
	case 0:
		w.sendDone(provider.Result{Outcome: provider.RetryLater, Code: 130429})
	case 1:
		w.inDoubt[w.inFlight.Seq] = true
		w.sendDone(provider.Result{Outcome: provider.Unknown, Reason: "timeout"})
	case 2:
		w.take()
		w.inDoubt[w.inFlight.Seq] = true
		w.sendDone(provider.Result{Outcome: provider.Unknown, Reason: "broken connection"})
	case 7:
		w.sendDone(provider.Result{Outcome: provider.RetryLater, NotTried: true, RetryAfter: time.Second})
	case 3:
		w.takeOnce() // and the answer still comes later, if at all
	default:
		w.takeOnce()
		w.sendDone(provider.Result{Outcome: provider.Sent, ProviderID: fmt.Sprintf("wamid.r%d", w.inFlight.Seq)})
	}
}

// takeOnce takes the reply that is on its way, unless this very request was taken already.
func (w *world) takeOnce() {
	if len(w.taken) == 0 || w.taken[len(w.taken)-1] != w.inFlight.Seq {
		w.take()
	}
}

func (w *world) stopGracefully() {
	w.step(Stopping{})
	w.call = nil
	for !w.c.Settled() || len(w.pending) > 0 {
		switch {
		case w.performOne():
		case w.inFlight != nil:
			w.runProvider(4)
		case len(w.proposed) > 0:
			w.apply()
			w.step(Committed{Revision: w.revision})
		default:
			panic("a stopping conversation neither settles nor has anything to do")
		}
	}
}

// comeToRest lets all faults end: providers redeliver what was not acknowledged, bots answer, sends
// are taken.
func (w *world) comeToRest() {
	for range 100_000 {
		w.answerInline()
		switch {
		case w.performOne():
		case w.call != nil:
			w.answer()
		case w.inFlight != nil:
			w.runProvider(4)
		case len(w.proposed) > 0:
			w.apply()
			w.step(Committed{Revision: w.revision})
		case w.alarm > w.nowMs:
			w.nowMs = w.alarm
			w.tick()
		case w.redeliver():
		case w.giveBack():
		default:
			return
		}
	}
	panic("the conversation does not come to rest")
}

func (w *world) redeliver() bool {
	for id := range w.delivered {
		if !w.acked[id] {
			w.deliver(id, 0)
			return true
		}
	}
	return false
}

func (w *world) check(t *rapid.T, messages int) {
	if !w.c.Idle() || w.count(wactorv1.RecordKind_RECORD_KIND_INBOX)+w.count(
		wactorv1.RecordKind_RECORD_KIND_OUTBOX) > 0 {
		t.Fatalf("unfinished work at rest")
	}
	if w.checkTimers(); len(w.c.turns.timers.byDue) > 0 {
		t.Fatalf("timers that never rang: %v", w.c.turns.timers.byDue)
	}
	if w.count(wactorv1.RecordKind_RECORD_KIND_WORK) != 0 {
		t.Fatalf("the work index holds an idle conversation")
	}
	if len(w.refs) != 0 {
		t.Fatalf("deliveries never answered: %v", w.refs)
	}
	fates := map[string]int{}
	accepted := map[uint64]string{}
	var version uint64
	for _, e := range w.journal() {
		switch e.Kind {
		case wactorv1.JournalKind_JOURNAL_KIND_ACCEPTED:
			accepted[e.MessageSeq] = e.MessageId
		case wactorv1.JournalKind_JOURNAL_KIND_TURN:
			if e.VersionBefore != version || e.VersionAfter != version+1 {
				t.Fatalf("turn %d -> %d after version %d", e.VersionBefore, e.VersionAfter, version)
			}
			version++
			fallthrough
		case wactorv1.JournalKind_JOURNAL_KIND_DEAD_LETTER, wactorv1.JournalKind_JOURNAL_KIND_ABSORBED:
			for _, seq := range e.MessageSeqs {
				fates[accepted[seq]]++
			}
		case wactorv1.JournalKind_JOURNAL_KIND_IN_DOUBT:
			w.inDoubt[e.ReplySeq] = true
		}
	}
	if violations := audit.Journal(w.journal(), false); len(violations) > 0 {
		t.Fatalf("the audit finds %v", violations)
	}
	if version != w.c.Version() {
		t.Fatalf("journal ends at version %d, the conversation is at %d", version, w.c.Version())
	}
	for i := 1; i <= messages; i++ {
		if id := fmt.Sprintf("m%d", i); fates[id] != 1 {
			t.Fatalf("message %s has %d fates", id, fates[id])
		}
	}
	if !slices.IsSorted(w.taken) {
		t.Fatalf("replies taken out of order: %v", w.taken)
	}
	for i := 1; i < len(w.taken); i++ {
		if w.taken[i] == w.taken[i-1] && !w.inDoubt[w.taken[i]] {
			t.Fatalf("reply %d was taken twice and never in doubt", w.taken[i])
		}
	}
	stopped := withdrawn(w.journal())
	for seq := uint64(1); seq < w.c.outbox.next; seq++ {
		if !slices.Contains(w.taken, seq) && !slices.Contains(stopped, seq) {
			t.Fatalf("reply %d was never taken", seq)
		}
	}
}
