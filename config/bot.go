package config

import "time"

// Bot is a program that answers: exactly one of Flow and HTTP.
type Bot struct {
	// Flow is the path of a flow file; a relative one counts from the configuration file's folder.
	Flow string `yaml:"flow"`
	// HTTP is a program that is called over HTTP.
	HTTP      *HTTPBot  `yaml:"http"`
	Retry     Retry     `yaml:"retry"`
	OnFailure OnFailure `yaml:"on_failure"`
	Burst     Burst     `yaml:"burst"`
	Order     Order     `yaml:"order"`
	// Debounce absorbs a second press of the same button within it. Default 0: not in this version.
	Debounce time.Duration `yaml:"debounce"`
	Session  Session       `yaml:"session"`
}

// HTTPBot says how a bot is called over HTTP. docs/bots.md describes the contract.
type HTTPBot struct {
	// URL is where turns are posted: http or https, without credentials. Required.
	URL string `yaml:"url"`
	// Timeout bounds a call. Default 30s; 100ms to 10m.
	Timeout time.Duration `yaml:"timeout"`
	// Secret signs the requests. Default none: they are not signed.
	Secret Secret `yaml:"secret"`
	// Headers are sent with each request, such as Authorization.
	Headers map[string]Secret `yaml:"headers"`
	// MaxConcurrent is how many calls may be under way at once; more wait. Default 256; 1 to 10000.
	MaxConcurrent int `yaml:"max_concurrent"`
}

// Retry bounds the attempts of a failing bot call. Waits double from Min to Max, each with a jitter of 20 %.
type Retry struct {
	// MaxAttempts counts the first call too. Default 5; 1 to 100.
	MaxAttempts int `yaml:"max_attempts"`
	// Min is the wait after the first failure. Default 1s; 10ms to Max.
	Min time.Duration `yaml:"min"`
	// Max is the longest wait. Default 1m; Min to 1h.
	Max time.Duration `yaml:"max"`
}

// OnFailure is what a user gets when a turn was given up.
type OnFailure struct {
	// Reply is the text, up to 4096 characters. Default none: the user gets nothing.
	Reply string `yaml:"reply"`
}

// Enqueue makes a turn of each message, one after the other.
const Enqueue = "enqueue"

// Burst says what happens to messages that arrive while a turn runs.
type Burst struct {
	// Policy is enqueue. Default enqueue; merge, interrupt and reject are not in this version.
	Policy string `yaml:"policy"`
	// Quiet is how long the user must be quiet before the turn. Default 0: not in this version.
	Quiet time.Duration `yaml:"quiet"`
	// MaxWait bounds the wait for quiet. Default 0: not in this version.
	MaxWait time.Duration `yaml:"max_wait"`
}

// Process hands a late message to the bot, flagged late.
const Process = "process"

// Order says how messages that arrive out of order are handled. Messages that wait together are always taken by the time at
// which they were sent.
type Order struct {
	// Hold is how long a message waits for an earlier one. Default 0: not in this version.
	Hold time.Duration `yaml:"hold"`
	// Late is process. Default process; drop is not in this version.
	Late string `yaml:"late"`
}

// Session says when a conversation begins anew.
type Session struct {
	// Idle is the idle time after which the state is reset. Default 0, never: more is not in this version.
	Idle time.Duration `yaml:"idle"`
}
