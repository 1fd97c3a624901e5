package policy

import "time"

// Retry bounds the attempts of a failing bot call. Waits double from Min to Max, each with a jitter
// of 20 %.
type Retry struct {
	// MaxAttempts counts the first call too. Default 5; 1 to 100.
	MaxAttempts int `yaml:"max_attempts"`
	// Min is the wait after the first failure. Default 1s; 10ms to Max.
	Min time.Duration `yaml:"min"`
	// Max is the longest wait. Default 1m; Min to 1h.
	Max time.Duration `yaml:"max"`
	// Unreachable is how long attempts that did not reach the bot at all (connection refused, no
	// route, DNS, TLS) are not counted: a restart costs no dead letters. Default 15m; 0 to 24h.
	Unreachable time.Duration `yaml:"unreachable"`
}

// OnFailure is what a user gets when a turn was given up.
type OnFailure struct {
	// Reply is the text, up to 4096 characters. Default none: the user gets nothing.
	Reply string `yaml:"reply"`
}

// Late says what happens to a message that was sent before one that a turn has taken already.
type Late int

const (
	// Process hands a late message to the bot, flagged late.
	Process Late = iota
	// Drop absorbs it; the journal tells.
	Drop
)

// Words returns process and drop.
func (Late) Words() []string { return []string{"process", "drop"} }

func (l Late) String() string { return write(l, l.Words()) }

// MarshalText returns the word.
func (l Late) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads a word; an *ErrWord where it is unknown.
func (l *Late) UnmarshalText(text []byte) error { return read(l, text, l.Words()) }

// Order says how messages that arrive out of order are handled. Messages that wait together are
// always taken by the time at which they were sent.
type Order struct {
	// Hold is how long a message waits for one that was sent earlier. Default 0; up to 5m.
	Hold time.Duration `yaml:"hold"`
	// Late is process or drop. Default process.
	Late Late `yaml:"late"`
}

// Stale says what happens to a tap on a prompt that is no longer the newest.
type Stale int

const (
	// Accept hands it to the bot like any other.
	Accept Stale = iota
	// Ignore absorbs it; the journal tells.
	Ignore
	// Answer absorbs it and answers Taps.StaleReply.
	Answer
)

// Words returns accept, ignore and answer.
func (Stale) Words() []string { return []string{"accept", "ignore", "answer"} }

func (s Stale) String() string { return write(s, s.Words()) }

// MarshalText returns the word.
func (s Stale) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a word; an *ErrWord where it is unknown.
func (s *Stale) UnmarshalText(text []byte) error { return read(s, text, s.Words()) }

// Taps governs taps on buttons and list rows.
type Taps struct {
	// Debounce absorbs a tap on the same option of the same prompt that comes within this time
	// after the last one. 0 is off.
	Debounce time.Duration
	// Stale is accept, ignore or answer.
	Stale Stale
	// StaleReply is the text that answer sends; empty answers nothing.
	StaleReply string
}

// Session says when a conversation begins anew.
type Session struct {
	// Idle is the time without activity after which the state is reset. Default 24h; 0 (never), or
	// 1s to 366d.
	Idle time.Duration `yaml:"idle"`
	// Turn asks for a turn of the timer session_expired before the reset. Default false.
	Turn bool `yaml:"turn"`
}

// LoopGuard keeps two bots from answering each other for ever.
type LoopGuard struct {
	// Repeats is how often the same reply is said to one user within Window; more become dead
	// letters. Default 20; 0 (no guard) to 1000.
	Repeats int `yaml:"repeats"`
	// Window is the time in which they are counted. Default 5m; 1s to 24h.
	Window time.Duration `yaml:"window"`
	// Exchanges is how often in a row a user may answer a reply as a machine does: within a second,
	// or ever after the same time (within a quarter of it). Replies become dead letters then, until
	// the user answers as a person does. Default 50; 0 (no guard) to 10000.
	Exchanges int `yaml:"exchanges"`
	// Unasked is how many replies timers may say within Window while the user is silent. Default
	// 100; 0 (no guard) to 10000.
	Unasked int `yaml:"unasked"`
}
