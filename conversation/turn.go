package conversation

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

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
	// History is what was said while the bot did not own the conversation and no turn has taken:
	// messages of the user, and those of an Author; oldest first.
	History []*wactorv1.Message
	// Paused is the time in which the bot did not own the conversation, in the first turn behind
	// it; else nil.
	Paused *wactorv1.Ownership
	// WindowUntil is when the customer service window closes; zero where the provider has none.
	WindowUntil time.Time
	// Now is the time of the turn: a bot that is a function of its Turn asks no clock.
	Now time.Time
}

// Answers is the id of the newest message that the user wrote; empty where there is none.
func (t *Turn) Answers() string {
	for _, message := range slices.Backward(t.Messages) {
		if message.Type != TypeFailed {
			return message.Id
		}
	}
	return ""
}

// onFailure reports whether the turn is about a reply that failed.
func (t *Turn) onFailure() bool {
	return slices.ContainsFunc(t.Messages, func(m *wactorv1.Message) bool { return m.Type == TypeFailed })
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
	// Handoff gives the conversation to a person once the replies are committed; nil: it stays the
	// bot's.
	Handoff *Handoff
}

// Handoff gives a conversation to a person.
type Handoff struct {
	// Note is for the person, up to MaxNote characters. It stands in the journal, free of anything
	// the user wrote.
	Note string
	// UntilMs is when the bot gets the conversation back by itself, at most MaxPause ahead; 0: as
	// configured.
	UntilMs int64
}

// MaxNote bounds the note of a handoff, in characters.
const MaxNote = 200

// unfit says why a handoff can't be; empty where it can, or where there is none.
func (h *Handoff) unfit(nowMs int64) string {
	switch {
	case h == nil:
	case utf8.RuneCountInString(h.Note) > MaxNote:
		return "the note of a handoff is longer than 200 characters"
	case h.UntilMs != 0 && h.UntilMs <= nowMs:
		return "a handoff must end ahead"
	case h.UntilMs > nowMs+MaxPause.Milliseconds():
		return "a handoff must end within a year"
	}
	return ""
}

// ownership is what a handoff asks for.
func (h *Handoff) ownership(nowMs int64, lasts time.Duration) *wactorv1.Ownership {
	to := &wactorv1.Ownership{Owner: wactorv1.Owner_OWNER_HUMAN, UntilMs: h.UntilMs, By: ByBot,
		Reason: readable(h.Note)}
	if to.UntilMs == 0 && lasts > 0 {
		to.UntilMs = nowMs + lasts.Milliseconds()
	}
	return to
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
