package simulate

import (
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/wactor/wactor/whatsapp/emulator"
)

// Pattern says how the messages of one user follow each other.
type Pattern string

const (
	// Burst sends all messages of a user at once.
	Burst Pattern = "burst"
	// Pairs sends two at once, and the next two when both were answered 200.
	Pairs Pattern = "pairs"
	// Steady sends each message when the one before was answered 200.
	Steady Pattern = "steady"
	// Batches sends messages of ten users in one webhook.
	Batches Pattern = "batches"
)

// Patterns are all patterns.
var Patterns = []Pattern{Burst, Pairs, Steady, Batches}

// Options configure a run.
type Options struct {
	// URL is the bot's webhook.
	URL string
	// PhoneNumberID and AppSecret are those of the channel under test.
	PhoneNumberID, AppSecret string
	// AccessToken is what the bot has to show to the fake Graph API; empty asks for none.
	AccessToken string
	// Graph is the address on which the fake Graph API listens.
	Graph string

	Users, Messages int
	Pattern         Pattern
	// FirstUser is the phone number of the first user; the others follow.
	FirstUser int64
	// Duplicates is the share of webhooks, in percent, that are posted twice: at once or later.
	Duplicates int
	// Swaps is the share of neighbouring messages of a user, in percent, that are posted in the other order than they were sent.
	Swaps int
	// Concurrency is how many users write at once where no Rate is given, and how many webhooks may be under way.
	Concurrency int
	// Rate, in messages a second, makes the load open: messages are sent at their times, however slow the bot is, and latencies
	// count from those times. 0 sends as fast as the bot answers.
	Rate float64
	// Faults are those of the fake Graph API.
	Faults emulator.Faults
	// Statuses are posted for every reply that the Graph API takes: sent, delivered, read.
	Statuses []string
	// GiveUp is how long a webhook that is not answered 200 is sent again. 0 sends once.
	GiveUp time.Duration
	// Settle is how long replies are awaited after the last one came.
	Settle time.Duration
	// Seed makes the plan the same in every run.
	Seed uint64
	// AllowResent takes the same reply twice (by its biz_opaque_callback_data) as no violation: what a bot does that was killed
	// between sending and noting that it sent. The provider has no other way to let it find out.
	AllowResent bool
	// Progress, where set, gets a line every second.
	Progress io.Writer
}

func (o *Options) check() error {
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("simulate: url %q is no http address of a webhook", o.URL)
	case o.Users < 1 || o.Messages < 1 || o.Users*o.Messages > 100_000_000:
		return fmt.Errorf("simulate: %d users with %d messages each: at least 1, at most 100,000,000 in all", o.Users, o.Messages)
	case o.Duplicates < 0 || o.Duplicates > 100 || o.Swaps < 0 || o.Swaps > 100:
		return fmt.Errorf("simulate: duplicates and swaps are percentages from 0 to 100")
	case o.Concurrency < 1:
		return fmt.Errorf("simulate: concurrency must be at least 1")
	case o.Rate < 0:
		return fmt.Errorf("simulate: rate must not be negative")
	}
	for _, p := range Patterns {
		if p == o.Pattern {
			return nil
		}
	}
	return fmt.Errorf("simulate: there is no pattern %q: one of %v", o.Pattern, Patterns)
}
