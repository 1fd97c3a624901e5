package conversation

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Turn is one run of a bot: what it reads. All of it is read-only for the bot.
type Turn struct {
	// ID is the same on every attempt of this turn, and differs between any two turns of any two
	// conversations.
	ID string
	// Attempt counts from 1.
	Attempt int
	// Conversation says whose turn it is.
	Conversation ID
	// Version is the number of turns committed before this one.
	Version uint64
	User    *wactorv1.User
	// State is a JSON object, what the last turn returned; nil at first.
	State json.RawMessage
	// Messages are in the order in which they are to be taken; at least one unless Timer is set.
	Messages []*wactorv1.Message
	Timer    *wactorv1.Timer
	// Events came since the turn before and started none, since the bot does not receive messages
	// of their types: oldest first.
	Events []*wactorv1.Message
	// WindowUntil is when the customer service window closes; zero where the provider has none.
	WindowUntil time.Time
	// Now is the time of the turn: a bot that is a function of its Turn asks no clock.
	Now time.Time
}

// answers is the id of the newest message; empty where a timer started the turn.
func (t *Turn) answers() string {
	if len(t.Messages) == 0 {
		return ""
	}
	return t.Messages[len(t.Messages)-1].Id
}

// receivedMs is when the first of the messages was received; 0 where a timer started the turn.
func (t *Turn) receivedMs() int64 {
	if len(t.Messages) == 0 {
		return 0
	}
	return t.Messages[0].ReceivedMs
}

// late reports whether any of the messages came late.
func (t *Turn) late() bool {
	return slices.ContainsFunc(t.Messages, func(m *wactorv1.Message) bool { return m.Late })
}

// Answer is what a bot returns.
type Answer struct {
	// State replaces the state: a JSON object; nil keeps the state as it is.
	State json.RawMessage
	// Replies leave in this order.
	Replies []*wactorv1.Reply
	// Timers are set, or replaced by name.
	Timers []SetTimer
	// CancelTimers names timers to cancel; a name that is not set is no error.
	CancelTimers []string
	// End clears the state after this turn.
	End bool
	// Note is written to the journal: what the bot has to tell an operator, free of anything the
	// user wrote.
	Note string
}

// SetTimer asks for a turn in the future.
type SetTimer struct {
	Name  string
	After time.Duration
}

// BotError is a failed bot call. An error of any other type counts as retryable.
type BotError struct {
	// Retryable: the same call may succeed later (5xx, 429, timeout, broken connection).
	Retryable bool
	// NotCalled: the bot was not called at all; the turn is tried again after RetryAfter and no
	// attempt is counted.
	NotCalled  bool
	RetryAfter time.Duration
	// NotReached: no connection to the bot, or to what it calls, was established, so that the turn
	// can have had no effect there. Retryable is true beside it.
	NotReached bool
	// Reason names the cause for journal and dead letter: a class and a code, never a text of the
	// user.
	Reason string
}

func (e *BotError) Error() string { return "bot: " + e.Reason }

// Permanent makes a BotError that is not retried.
func Permanent(format string, args ...any) *BotError {
	return &BotError{Reason: fmt.Sprintf(format, args...)}
}

// Temporary makes a BotError that is retried.
func Temporary(format string, args ...any) *BotError {
	return &BotError{Retryable: true, Reason: fmt.Sprintf(format, args...)}
}
