package actors

import (
	"context"
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"
)

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

// spawn starts an actor. Its Receive must not panic: there is no supervision that would restart it
// with empty state.
func spawn(system *actor.ActorSystem, w *workers, a actor.Actor) *actor.PID {
	return system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return a },
		actor.WithDispatcher(dispatcher{w}),
		actor.WithSupervisor(stopOnFailure),
		actor.WithGuardian(stopOnFailure),
	))
}

var stopOnFailure = actor.NewOneForOneStrategy(0, 0, func(any) actor.Directive { return actor.StopDirective })

// The messages of an activation may come after it has stopped, which is no news: the library shall
// not count and log them, nor start a goroutine without an owner to throttle that log.
func (wake) IgnoreDeadLetterLogging()           {}
func (alarm) IgnoreDeadLetterLogging()          {}
func (committed) IgnoreDeadLetterLogging()      {}
func (result) IgnoreDeadLetterLogging()         {}
func (makeRoom) IgnoreDeadLetterLogging()       {}
func (stopGracefully) IgnoreDeadLetterLogging() {}
func (stopNow) IgnoreDeadLetterLogging()        {}
