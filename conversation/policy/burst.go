package policy

import (
	"strings"
	"time"
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
	// Reject absorbs messages while the bot is busy.
	Reject
)

// burstPolicies is the table of burst policies, in the order of the constants. A policy is what its
// row says; nothing else in Wactor asks for one by its name.
var burstPolicies = []struct {
	text string
	// splits: each message gets a turn of its own, so the bot may answer it inline.
	splits bool
	// waits: a turn starts only when the user was quiet for Burst.Quiet.
	waits bool
	// interrupts: a message cancels the running bot call and joins its messages.
	interrupts bool
	// rejects: a message that comes while the bot is busy is absorbed, with Burst.Notice.
	rejects bool
}{
	Enqueue:   {text: "enqueue", splits: true},
	Merge:     {text: "merge", waits: true},
	Interrupt: {text: "interrupt", waits: true, interrupts: true},
	Reject:    {text: "reject", splits: true, rejects: true},
}

// Splits reports whether each message gets a turn of its own.
func (p BurstPolicy) Splits() bool { return burstPolicies[p].splits }

// Waits reports whether a turn waits until the user is quiet.
func (p BurstPolicy) Waits() bool { return burstPolicies[p].waits }

// Interrupts reports whether a message cancels the running bot call.
func (p BurstPolicy) Interrupts() bool { return burstPolicies[p].interrupts }

// Rejects reports whether a message is absorbed while the bot is busy.
func (p BurstPolicy) Rejects() bool { return burstPolicies[p].rejects }

// Words returns the texts of all burst policies.
func (BurstPolicy) Words() []string {
	words := make([]string, len(burstPolicies))
	for i, row := range burstPolicies {
		words[i] = row.text
	}
	return words
}

func (p BurstPolicy) String() string { return write(p, p.Words()) }

// MarshalText returns the policy's word.
func (p BurstPolicy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a word; an *ErrWord where it is unknown.
func (p *BurstPolicy) UnmarshalText(text []byte) error { return read(p, text, p.Words()) }

// Burst governs messages that come together.
type Burst struct {
	// Policy is enqueue, merge, interrupt or reject. Default enqueue.
	Policy BurstPolicy `yaml:"policy"`
	// Quiet is how long the user must be quiet before merge and interrupt start a turn. Default 0:
	// they start at once; up to 5m.
	Quiet time.Duration `yaml:"quiet"`
	// MaxWait bounds that wait, counted from the oldest message that waits, and how long new
	// messages may interrupt. Default ten times Quiet, at least 10s; Quiet to 1h.
	MaxWait time.Duration `yaml:"max_wait"`
	// MaxMessages is how many messages one turn of merge and interrupt takes at most; with so many
	// waiting it starts at once. Default 20; 1 to 1000.
	MaxMessages int `yaml:"max_messages"`
	// Flush are texts that end the wait for quiet at once, as a tap on a button does: compared
	// without case and outer space. Default none; up to 100 of up to 100 characters.
	Flush []string `yaml:"flush"`
	// Notice is the text that reject answers, once for each turn that kept the bot busy; up to 4096
	// characters. Default none.
	Notice string `yaml:"notice"`
}

// Flushes reports whether a text ends the wait for quiet at once.
func (b *Burst) Flushes(text string) bool {
	for _, word := range b.Flush {
		if strings.EqualFold(strings.TrimSpace(text), word) {
			return true
		}
	}
	return false
}
