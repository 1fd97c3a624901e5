package conversation

import (
	"time"

	"github.com/wactor/wactor/conversation/policy"
)

// Config says how the conversations of one channel behave. It is shared by all of them and never
// changes while in use.
type Config struct {
	// Node names this node in the journal.
	Node string
	// Inline says that the bot may answer inside the process: such a turn shares the commit of its
	// message's acceptance. It is for messages that wait for nothing: a Burst.Policy that
	// splits, no Order.Hold.
	Inline bool
	// Receives are the types of messages that start a turn; nil for all.
	Receives policy.Receives
	// Retry bounds the attempts of a failing bot call.
	Retry policy.Retry
	// OnFailure is sent when a turn was given up.
	OnFailure policy.OnFailure
	// DedupWindow is how long message ids are remembered; default 9 days. Longer than StaleAfter,
	// or a redelivery of a message that is just not stale could be taken for new.
	DedupWindow time.Duration
	// StaleAfter is the age (by the provider's clock) past which a message is kept as a dead letter
	// instead of run; default 8 days.
	StaleAfter time.Duration
	// InDoubt says what to do with replies of unknown fate.
	InDoubt   policy.InDoubt
	Limits    Limits
	Burst     policy.Burst
	Order     policy.Order
	Taps      policy.Taps
	Session   policy.Session
	LoopGuard policy.LoopGuard
	Sending   policy.Sending
	Handoff   policy.Handoff
}

// Limits bound what a conversation keeps.
type Limits struct {
	// Inbox is how many messages may wait for their turn, and how many replies for the provider;
	// one more message is answered Overloaded, and so is one behind 16 MiB of either. Default 1000.
	Inbox int
	// Pipeline is how many commits may be on their way at once; a message that comes then is
	// answered Overloaded, so hold it back while Full. Default 256.
	Pipeline int
	// Journal is how many journal records (one a commit) are kept. Default 500.
	Journal uint64
}

// Limits of one turn; a bot that answers past them has failed for good.
const (
	MaxReplies    = 20
	MaxStateBytes = 256 << 10
	// MaxTimers is how many timers a conversation may have.
	MaxTimers = 50
)

// WithDefaults fills what is zero.
func (c Config) WithDefaults() *Config {
	setDefault(&c.Retry.MaxAttempts, 5)
	setDefault(&c.Retry.Min, time.Second)
	setDefault(&c.Retry.Max, time.Minute)
	setDefault(&c.DedupWindow, 9*24*time.Hour)
	setDefault(&c.StaleAfter, 8*24*time.Hour)
	setDefault(&c.InDoubt.Wait, 15*time.Second)
	setDefault(&c.InDoubt.Max, 10*time.Minute)
	c.InDoubt.Max = max(c.InDoubt.Max, c.InDoubt.Wait)
	setDefault(&c.Burst.MaxWait, max(10*time.Second, 10*c.Burst.Quiet))
	setDefault(&c.Burst.MaxMessages, 20)
	setDefault(&c.Sending.AwaitMax, 10*time.Second)
	setDefault(&c.Handoff.Hold, 200)
	setDefault(&c.Limits.Inbox, 1000)
	setDefault(&c.Limits.Pipeline, 256)
	setDefault(&c.Limits.Journal, 500)
	return &c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
