package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/persistence/replication"
	"github.com/wactor/wactor/persistence/store"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// newRuntime makes the conversations of a process.
func (p *process) newRuntime(s actors.Store) *actors.Runtime {
	w := p.w
	b := &bot{p: p}
	return actors.New(actors.Options{
		Store: s, Shards: uint32(w.rules.shards), Elsewhere: p.router.Deliver, Scheduler: p.scheduler,
		Random:    w.rng.Uint64,
		IdleAfter: w.rules.idleAfter, MaxActive: w.rules.maxActive, RetryAfter: 30 * time.Millisecond,
		Logger: slog.New(&alarms{Handler: w.logger(p.index).Handler(), p: p}),
		Channels: map[string]*actors.Channel{channel: {
			Config: w.config, Bot: b, Sender: &sender{p: p},
		}},
	})
}

// channel is the one channel of all.
const channel = "shop"

// unsettled is how much of a process has no outcome yet.
type unsettled struct {
	unanswered int // deliveries that its gateway has given to its router
	proposed   int // commits
	// rejectable counts the commits that came while no other one was in flight.
	rejectable int
}

// rejects reports whether the log is full for a commit: now and then, where no commit of before is
// in flight. It happens after all is healed, too.
func (u *unsettled) rejects() bool {
	if u.proposed > 0 {
		return false
	}
	u.rejectable++
	return u.rejectable%16 == 0
}

// actorStore is what the actors see of persistence.
type actorStore struct {
	*store.Store
	p *process
}

// Propose implements actors.Store.
func (s actorStore) Propose(shard uint32, term uint64, command *wactorv1.Command, lazy bool, done func(error)) {
	p, commit := s.p, command.GetCommit()
	propose := s.Store.Propose
	if lazy {
		propose = s.Store.ProposeLazy
	}
	u := p.w.userOf[commit.Conversation]
	if p.w.rules.rejects && p.rejects() {
		p.w.record.note("node %d rejects a commit of conversation %d", uint64(p.index), uint64(u.index))
		p.in(0, func() { done(delivery.ErrOverloaded) })
		return
	}
	p.proposed++
	propose(shard, term, command, func(revision uint64, err error) {
		p.proposed--
		if p.dead.Load() {
			return
		}
		p.w.record.note("node %d: conversation %d, on revision %d, outcome %d", uint64(p.index), uint64(u.index),
			commit.BaseRevision, outcome(err))
		switch {
		case err == nil:
			p.w.checks.committed(u, revision, commit)
		case errors.Is(err, store.ErrStale):
			p.w.Stats.Stale++
		case errors.Is(err, replication.ErrUnknown):
			p.w.Stats.Unknown++
		}
		done(actorsError(err))
	})
	p.poke()
}

// Load implements actors.Store.
func (s actorStore) Load(
	shard uint32, name string, each func(wactorv1.RecordKind, []byte, []byte) error,
) (uint64, error) {
	revision, err := s.Store.Load(shard, name, each)
	s.p.w.record.note("node %d loads conversation %d, revision %d", uint64(s.p.index),
		uint64(s.p.w.userOf[name].index), revision)
	s.p.w.Stats.Loads++
	return revision, err
}

// Leased implements actors.Store. It is asked right before a reply is sent.
func (s actorStore) Leased(shard uint32, term uint64) bool {
	if !s.Store.Leased(shard, term) {
		return false
	}
	s.p.w.checks.sends(s.p, shard, term)
	return true
}

// twinStore is what a second runtime of the same process sees: nothing that it would take up by
// itself.
type twinStore struct{ actorStore }

// Work implements actors.Store.
func (twinStore) Work(uint32, func(string) error) error { return nil }

// Due implements actors.Store.
func (twinStore) Due(uint32, int64, func(int64, string, string) error) error { return nil }

// actorsError puts an error of persistence in the words of actors, as package node does.
func actorsError(err error) error {
	switch {
	case errors.Is(err, replication.ErrOverloaded):
		return fmt.Errorf("%w: %w", delivery.ErrOverloaded, err)
	case errors.Is(err, replication.ErrNotLeader):
		return fmt.Errorf("%w: %w", delivery.ErrNotLeader, err)
	}
	return err
}

func outcome(err error) uint64 {
	for i, class := range []error{store.ErrStale, replication.ErrUnknown, replication.ErrNotLeader,
		replication.ErrOverloaded} {
		if errors.Is(err, class) {
			return uint64(i + 1)
		}
	}
	if err != nil {
		return 9
	}
	return 0
}

// alarms fails the run where a runtime logs an error: a panic, a store that can't be read.
type alarms struct {
	slog.Handler
	p *process
}

// Enabled implements slog.Handler.
func (a *alarms) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError || a.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (a *alarms) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError && !a.p.dead.Load() {
		text := r.Message
		r.Attrs(func(attr slog.Attr) bool {
			text += fmt.Sprintf("; %s: %v", attr.Key, attr.Value)
			return true
		})
		a.p.w.fail("node %d logs: %s", a.p.index, text)
	}
	if !a.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return a.Handler.Handle(ctx, r)
}

// runtimes are those of this process.
func (p *process) runtimes() []*actors.Runtime {
	if p.twin == nil {
		return []*actors.Runtime{p.runtime}
	}
	return []*actors.Runtime{p.runtime, p.twin}
}

// local are the conversations of a process, as its router sees them.
type local struct{ p *process }

// Shard implements routing.Local.
func (l local) Shard(id conversation.ID) uint32 { return l.p.runtime.Shard(id) }

// Leads implements routing.Local.
func (l local) Leads(shard uint32) bool { return l.p.runtime.Leads(shard) }

// Deliver implements routing.Local. Now and then there is a second activation of a conversation, as
// a mistake of the runtime would make it: its commits must not do any harm.
func (l local) Deliver(e delivery.Envelope, done delivery.Done) {
	if l.p.twin != nil && l.p.w.chance(l.p.w.rules.twins) {
		l.p.twin.Deliver(e, done)
		return
	}
	l.p.runtime.Deliver(e, done)
}

// endTwin ends the second runtime, with which the first could contend for ever. The first begins
// anew and takes up what is left, as in another term: once no commit of before has no outcome.
func (p *process) endTwin() {
	if p.twin == nil {
		return
	}
	twin := p.twin
	p.twin = nil
	for shard := uint32(1); shard <= uint32(p.w.rules.shards); shard++ {
		twin.LeadershipChanged(shard, 0, false)
		p.runtime.LeadershipChanged(shard, 0, false)
	}
	p.beginAnew()
}

func (p *process) beginAnew() {
	if p.proposed > 0 {
		p.in(5*time.Millisecond, p.beginAnew)
		return
	}
	for shard := uint32(1); shard <= uint32(p.w.rules.shards); shard++ {
		p.passOn(shard)
	}
}

// endShard ends the activations of a shard, gives its leadership away, and goes on with it where
// no node has taken it.
func (p *process) endShard(shard uint32, transfer func()) {
	p.scheduler.Go(func() {
		ending, cancel := context.WithCancel(context.Background())
		p.in(300*time.Millisecond, cancel)
		for _, r := range p.runtimes() {
			_ = r.PrepareTransfer(ending, shard) // whatever is left ends with the leadership
			defer r.CancelTransfer(shard)
		}
		if p.dead.Load() {
			return
		}
		transfer()
		p.scheduler.Sleep(context.Background(), 1500*time.Millisecond)
	})
}
