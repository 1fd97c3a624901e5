package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/persistence"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// activation is the shell of one conversation while it is in memory.
type activation struct {
	t       *table
	p       *process
	w       *World
	user    *user
	term    uint64
	chain   uint64
	machine *conversation.Conversation
	// open are the deliveries that are not answered, by their ref.
	open     []*delivery
	alarm    int64
	ended    bool
	stopping bool
}

func newActivation(t *table, u *user) *activation {
	return &activation{t: t, p: t.p, w: t.p.w, user: u, term: t.lead.Term, chain: t.p.w.rng.Uint64()}
}

// load reads the conversation.
func (a *activation) load() {
	loader := conversation.NewLoader(a.user.id, a.w.config)
	revision, err := a.p.store.Load(a.t.shard, a.user.id.String(), loader.Record)
	if err != nil {
		a.w.fail("node %d can't load a conversation: %v", a.p.index, err)
		a.end()
		return
	}
	a.w.record.note("node %d loads conversation %d, revision %d", uint64(a.p.index), uint64(a.user.index), revision)
	a.machine = loader.Done(revision)
	a.step(conversation.Started{})
}

func (a *activation) deliver(d *delivery) {
	if a.ended {
		d.answer(0)
		return
	}
	a.open = append(a.open, d)
	ref := uint64(len(a.open))
	if d.status != nil {
		a.p.statusMs = a.w.wallMs()
		status := *d.status
		status.Ref = ref
		for _, key := range conversation.StatusKeys(status.ReplyID, status.Status) {
			status.Known = status.Known || a.seen(key)
		}
		a.step(status)
		return
	}
	a.step(conversation.Arrived{
		Ref: ref, Message: d.message(a.w), User: &wactorv1.User{WaId: a.user.id.User}, Known: a.seen(d.id),
		Node: "gateway",
	})
}

func (a *activation) seen(id string) bool {
	for _, generation := range a.machine.Generations() {
		known, err := a.p.store.Seen(a.t.shard, a.user.id.String(), generation, id)
		if err != nil {
			a.w.fail("node %d can't look up a message id: %v", a.p.index, err)
		}
		if known {
			return true
		}
	}
	return false
}

// step feeds an event to the machine and performs what follows.
func (a *activation) step(event conversation.Event) {
	pending := []conversation.Event{event}
	for len(pending) > 0 && !a.ended {
		next := pending[0]
		pending = pending[1:]
		for _, effect := range a.machine.Step(a.w.wallMs(), next) {
			if answer := a.perform(effect); answer != nil {
				pending = append(pending, answer)
			}
		}
	}
	if !a.ended && (a.stopping && a.machine.Settled() || a.machine.Idle() && a.w.chance(0.3)) {
		a.end()
	}
}

func (a *activation) perform(effect conversation.Effect) conversation.Event {
	switch e := effect.(type) {
	case conversation.Commit:
		a.propose(e)
	case conversation.Respond:
		d := a.open[e.Ref-1]
		a.open[e.Ref-1] = nil
		d.answer(e.Verdict)
	case conversation.CallBot:
		return a.callBot(e)
	case conversation.Send:
		a.send(e)
	case conversation.Alarm:
		a.alarm = e.AtMs
		if e.AtMs > 0 {
			a.in(time.Duration(e.AtMs-a.w.wallMs())*time.Millisecond, func() {
				if a.alarm == e.AtMs {
					a.tick()
				}
			})
		}
	}
	return nil
}

// in lets something happen later, if the activation is still there.
func (a *activation) in(d time.Duration, do func()) {
	a.p.in(max(d, 0), func() {
		if !a.ended {
			do()
		}
	})
}

func (a *activation) tick() { a.step(conversation.Ticked{StatusMs: a.p.statusMs}) }

func (a *activation) propose(commit conversation.Commit) {
	p, w := a.p, a.w
	commit.Command.Chain = a.chain
	command := &wactorv1.Command{Command: &wactorv1.Command_Commit{Commit: commit.Command}}
	p.store.Propose(a.t.shard, a.term, command, func(applied persistence.Applied, err error) {
		if p.dead.Load() {
			return
		}
		w.record.note("node %d: conversation %d, revision %d, outcome %d", uint64(p.index), uint64(a.user.index),
			commit.Revision, outcome(err))
		switch {
		case err == nil:
			w.checks.committed(a.user, applied.Revision, commit)
		case errors.Is(err, persistence.ErrStale):
			w.Stats.Stale++
		case errors.Is(err, persistence.ErrUnknown):
			w.Stats.Unknown++
		}
		p.post(func() {
			switch {
			case a.ended:
			case err != nil:
				a.broken()
			default:
				a.step(conversation.Committed{Revision: commit.Revision})
			}
		})
	})
	p.poke()
}

func outcome(err error) uint64 {
	for i, class := range []error{persistence.ErrStale, persistence.ErrUnknown, persistence.ErrNotLeader,
		persistence.ErrOverloaded} {
		if errors.Is(err, class) {
			return uint64(i + 1)
		}
	}
	if err != nil {
		return 9
	}
	return 0
}

// broken ends the activation, whose chain of commits is broken, and loads the conversation anew
// after a while.
func (a *activation) broken() {
	t, u, term := a.t, a.user, a.term
	a.end()
	a.p.in(a.w.between(time.Millisecond, 50*time.Millisecond), func() {
		if t.leads(term) && t.activations[u.index] == nil {
			t.activate(u)
		}
	})
}

// stop lets what is under way come to its end.
func (a *activation) stop() {
	a.stopping = true
	a.step(conversation.Stopping{})
}

// end ends the activation. Deliveries that are not answered have an unknown fate.
func (a *activation) end() {
	if a.ended {
		return
	}
	a.ended = true
	if a.t.activations[a.user.index] == a {
		a.t.activations[a.user.index] = nil
	}
	a.t.twins = slices.DeleteFunc(a.t.twins, func(twin *activation) bool { return twin == a })
	if a.p.dead.Load() {
		return
	}
	for _, d := range a.open {
		if d != nil {
			d.answer(0)
		}
	}
}

// counter is the state of the bot: how many turns it has seen.
type counter struct {
	N uint64 `json:"n"`
}

// callBot runs the counter bot: at once, or after a while, and sometimes it fails.
func (a *activation) callBot(call conversation.CallBot) conversation.Event {
	turn := call.Turn
	var state counter
	if turn.State != nil {
		if err := json.Unmarshal(turn.State, &state); err != nil {
			a.w.fail("conversation %d has a state that nobody wrote: %v", a.user.index, err)
		}
	}
	if state.N != turn.Version {
		a.w.fail("conversation %d: the turn after version %d reads the state of turn %d", a.user.index, turn.Version,
			state.N)
	}
	var ids []string
	for _, m := range turn.Messages {
		ids = append(ids, m.Id)
	}
	encoded, _ := json.Marshal(counter{state.N + 1})
	answered := conversation.Answered{Turn: turn, Answer: &conversation.Answer{
		State:   encoded,
		Replies: []*wactorv1.Reply{{Content: &wactorv1.Reply_Text{Text: replyText(state.N+1, ids)}}},
	}}
	if call.Inline {
		if a.w.chance(0.1) {
			return conversation.Deferred{Turn: turn}
		}
		return answered
	}
	fails := a.w.chance(0.05)
	a.in(a.w.between(0, 30*time.Millisecond), func() {
		if fails {
			a.step(conversation.Failed{Turn: turn, Retryable: true, Reason: "sim"})
			return
		}
		a.step(answered)
	})
	return nil
}

func replyText(version uint64, ids []string) string {
	return fmt.Sprintf("step %d: %s", version, strings.Join(ids, " "))
}

// send posts a reply to the provider, if the lead is confirmed.
func (a *activation) send(e conversation.Send) {
	done := func(result provider.Result) {
		a.in(0, func() { a.step(conversation.SendDone{Seq: e.Seq, Try: e.Try, Result: result}) })
	}
	if !a.p.store.Leased(a.t.shard, a.term) {
		done(provider.Result{Outcome: provider.RetryLater, NotTried: true,
			RetryAfter: 100 * time.Millisecond})
		return
	}
	a.w.checks.sends(a)
	a.w.provider.post(a.p, a.user, e.Outgoing, done)
}
