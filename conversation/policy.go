package conversation

import (
	"strings"
	"time"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// BurstPolicy says what happens to messages that arrive while a turn runs.
type BurstPolicy int

const (
	// Enqueue gives each message a turn of its own, later.
	Enqueue BurstPolicy = iota
	// Merge gives all messages that wait one turn.
	Merge
	// Interrupt cancels the running bot call, of which nothing was committed, and runs once over
	// old and new messages.
	Interrupt
	// Reject refuses messages while the bot is busy.
	Reject
)

// Burst governs messages that come together.
type Burst struct {
	Policy BurstPolicy
	// Quiet makes Merge and Interrupt wait until the user was quiet for so long.
	Quiet time.Duration
	// MaxWait bounds that wait, counted from the oldest message that waits, and how long new
	// messages may interrupt. Default ten times Quiet, at least 10 s.
	MaxWait time.Duration
	// MaxMessages is how many messages one turn takes at most; with so many waiting it starts at
	// once. Default 20.
	MaxMessages int
	// Flush are texts that end the wait at once, as taps on buttons and list rows do: compared
	// without case and outer space.
	Flush []string
	// Notice is sent where Reject refuses messages, once for each turn that kept the bot busy; nil
	// sends nothing.
	Notice *wactorv1.Reply
}

// waits reports whether messages may wait for others.
func (b *Burst) waits() bool { return b.Policy == Merge || b.Policy == Interrupt }

// flushes reports whether a message ends a quiet window at once.
func (b *Burst) flushes(m *wactorv1.Message) bool {
	if m.Choice != nil {
		return true
	}
	for _, word := range b.Flush {
		if strings.EqualFold(strings.TrimSpace(m.Text), word) {
			return true
		}
	}
	return false
}

// Order governs messages whose times of sending disagree with their arrival.
type Order struct {
	// Hold makes a message wait so long for one that was sent earlier.
	Hold time.Duration
	// DropLate absorbs a message that was sent before one that a turn has taken already. Else it is
	// run, flagged late.
	DropLate bool
}

// StaleButtons says what happens to a tap on a prompt that is no longer the newest.
type StaleButtons int

const (
	// StaleAccept hands it to the bot like any other.
	StaleAccept StaleButtons = iota
	// StaleIgnore absorbs it.
	StaleIgnore
	// StaleAnswer absorbs it and answers Taps.StaleReply.
	StaleAnswer
)

// Taps governs taps on buttons and list rows.
type Taps struct {
	// Debounce absorbs a tap on the same option of the same prompt that comes within this time
	// after the last one. 0 is off.
	Debounce time.Duration
	Stale    StaleButtons
	// StaleReply is what StaleAnswer answers; nil answers nothing.
	StaleReply *wactorv1.Reply
}

// Session governs conversations that fall silent.
type Session struct {
	// Idle is the time without activity after which the state is reset. 0 is off.
	Idle time.Duration
	// Turn asks for a turn of the timer SessionExpired before the reset.
	Turn bool
}

// SessionExpired is the name of the timer whose turn ends a session. A bot can't set a timer of
// this name.
const SessionExpired = "session_expired"

// LoopGuard keeps two bots from answering each other for ever: the same reply to one user is said
// at most Repeats times within Window, counted from the first. 0 repeats is off.
type LoopGuard struct {
	Repeats int
	Window  time.Duration
}

// Sending governs how replies leave.
type Sending struct {
	// PairBurst replies may leave at once, and one in PairEvery from then on: the provider's pair
	// rate. 0 is off.
	PairBurst int
	PairEvery time.Duration
	// Await makes the next reply wait for a status of the one before: "sent", "delivered", or ""
	// for none; at most AwaitMax, default 10 s.
	Await    string
	AwaitMax time.Duration
	// Window is the customer service window: so long after the user's last message replies other
	// than templates are taken. Later ones become dead letters unsent. 0 is off.
	Window time.Duration
}

// MaxTimers is how many timers a conversation may have.
const MaxTimers = 50
