package config

import "time"

// What happens to messages that arrive while a turn runs.
const (
	// Enqueue makes a turn of each message, one after the other.
	Enqueue = "enqueue"
	// Merge makes one turn of all messages that wait.
	Merge = "merge"
	// Interrupt ends the running bot call, of which nothing was committed, and runs once over old
	// and new messages.
	Interrupt = "interrupt"
	// Reject refuses messages while the bot is busy.
	Reject = "reject"
)

// Burst says what happens to messages that come together.
type Burst struct {
	// Policy is enqueue, merge, interrupt or reject. Default enqueue.
	Policy string `yaml:"policy"`
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

// What happens to a message that was sent before one that a turn has taken already.
const (
	// Process hands a late message to the bot, flagged late.
	Process = "process"
	// Drop absorbs it; the journal tells.
	Drop = "drop"
)

// Order says how messages that arrive out of order are handled. Messages that wait together are
// always taken by the time at which they were sent.
type Order struct {
	// Hold is how long a message waits for one that was sent earlier. Default 0; up to 5m.
	Hold time.Duration `yaml:"hold"`
	// Late is process or drop. Default process.
	Late string `yaml:"late"`
}

// What happens to a tap on a prompt that is no longer the newest.
const (
	// Accept hands it to the bot like any other.
	Accept = "accept"
	// Ignore absorbs it; the journal tells.
	Ignore = "ignore"
	// Answer absorbs it and answers Bot.StaleReply.
	Answer = "answer"
)

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
}
