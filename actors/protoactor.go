package actors

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// protoactor is the Scheduler of production: mailboxes are actors of the library, and a pool of
// goroutines runs them and whatever blocks.
type protoactor struct {
	system  *actor.ActorSystem
	workers *workers
}

func newProtoactor(logger *slog.Logger) *protoactor {
	return &protoactor{system: newSystem(logger), workers: &workers{}}
}

// stop returns when no goroutine is left.
func (p *protoactor) stop() {
	p.system.Shutdown()
	p.workers.stop()
}

// Now implements Scheduler.
func (p *protoactor) Now() time.Time { return time.Now() }

// Go implements Scheduler.
func (p *protoactor) Go(task func()) { p.workers.run(task) }

// After implements Scheduler.
func (p *protoactor) After(d time.Duration, fn func()) Timer { return time.AfterFunc(d, fn) }

// Sleep implements Scheduler.
func (p *protoactor) Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Spawn implements Scheduler. There is no supervision that would restart a receiver with empty
// state: it must not panic.
func (p *protoactor) Spawn(receiver Receiver) Mailbox {
	m := &mailbox{system: p.system, receiver: receiver}
	m.pid = p.system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return m },
		actor.WithDispatcher(dispatcher{p.workers}),
		actor.WithSupervisor(stopOnFailure),
		actor.WithGuardian(stopOnFailure),
	))
	return m
}

var stopOnFailure = actor.NewOneForOneStrategy(0, 0, func(any) actor.Directive { return actor.StopDirective })

// mailbox is an actor of the library that passes on what it gets.
type mailbox struct {
	system   *actor.ActorSystem
	pid      *actor.PID
	receiver Receiver
}

// Receive implements actor.Actor. The library's own messages are passed on as well: a receiver
// ignores what it does not know.
func (m *mailbox) Receive(ctx actor.Context) { m.receiver.Receive(ctx.Message()) }

// Post implements Mailbox.
func (m *mailbox) Post(message any) { m.system.Root.Send(m.pid, message) }

// Close implements Mailbox.
func (m *mailbox) Close() { m.system.Root.Stop(m.pid) }

// newSystem returns an actor system that logs nothing of what its messages hold.
func newSystem(logger *slog.Logger) *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(discreet{logger.Handler()})
	}))
}

// discreet passes warnings and errors without their attributes: the library puts whole messages
// into them.
type discreet struct{ next slog.Handler }

func (d discreet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && d.next.Enabled(ctx, level)
}

func (d discreet) Handle(ctx context.Context, r slog.Record) error {
	return d.next.Handle(ctx, slog.NewRecord(r.Time, r.Level, "actor library: "+r.Message, r.PC))
}

func (d discreet) WithAttrs([]slog.Attr) slog.Handler { return d }
func (d discreet) WithGroup(string) slog.Handler      { return d }

// The messages of an activation may come after it has stopped, which is no news: the library must
// not count and log them, nor start a goroutine without an owner to throttle that log.
func (wake) IgnoreDeadLetterLogging()           {}
func (alarm) IgnoreDeadLetterLogging()          {}
func (committed) IgnoreDeadLetterLogging()      {}
func (result) IgnoreDeadLetterLogging()         {}
func (makeRoom) IgnoreDeadLetterLogging()       {}
func (stopGracefully) IgnoreDeadLetterLogging() {}
func (stopNow) IgnoreDeadLetterLogging()        {}
