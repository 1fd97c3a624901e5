package simulate

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// Pattern says how the messages of one user follow each other.
type Pattern string

const (
	// Burst sends all messages of a user at once.
	Burst Pattern = "burst"
	// Pairs sends two webhooks at once, and the next two when both messages have their replies.
	Pairs Pattern = "pairs"
	// Steady sends each message when the one before has its reply.
	Steady Pattern = "steady"
	// Batches sends messages of ten users in one webhook, and their next ones when all have their
	// replies.
	Batches Pattern = "batches"
	// Taps sends five taps on the same option of the same prompt at once, and the next five when
	// there is a reply. The bot must take each five for one.
	Taps Pattern = "taps"
)

// Patterns are all patterns.
var Patterns = []Pattern{Burst, Pairs, Steady, Batches, Taps}

// Options configure a run.
type Options struct {
	Target
	API
	Load
	// GiveUp is how long a webhook that is not answered 200 is sent again. 0 sends once.
	GiveUp time.Duration
	// Settle is how long a reply is awaited: by a user before the next step, and at the end, while
	// some are missing, after the last one that came. When none is missing, half a second more is
	// waited for those that should not come; what a bot sends twice later than that is not seen.
	Settle time.Duration
	// AllowResent takes the same reply twice (by its biz_opaque_callback_data) as no violation:
	// what a bot does that was killed between sending and noting that it sent. The provider has no
	// other way to let it find out.
	AllowResent bool
	// Progress, where set, gets a line every second.
	Progress io.Writer
}

// Target is the bot under test.
type Target struct {
	// URL is the bot's webhook. Several, separated by commas, are servers of one bot: connections
	// are made to them in turn, and past those that take none, as by a balancer of connections. The
	// one that was used last is used first.
	URL string
	// PhoneNumberID and AppSecret are those of the channel under test.
	PhoneNumberID, AppSecret string
	// Wait is how long the bot's server is awaited before the run begins; 0 expects it to run.
	Wait time.Duration
}

// API is the fake Graph API that takes the bot's replies.
type API struct {
	// Graph is the address on which it listens.
	Graph string
	// AccessToken is what the bot has to show; empty asks for none.
	AccessToken string
	Faults      emulator.Faults
	// Statuses are posted for every reply that was taken: sent, delivered, read.
	Statuses []string
}

// Load is what the users write.
type Load struct {
	// Users write Messages each, in this Pattern.
	Users, Messages int
	Pattern         Pattern
	// Duration, where set, lets them write until then instead; a Burst has Messages.
	Duration time.Duration
	// Stop, where set, ends the writing when it is closed; what was written is answered, and
	// judged.
	Stop <-chan struct{}
	// Gap is the mean time between two messages of a Burst, from half to one and a half of it; 0
	// sends them at once.
	Gap time.Duration
	// Media is the share of messages, in percent, that are images with the text as their caption.
	Media int
	// FirstUser is the phone number of the first user; the others follow.
	FirstUser int64
	// Names says under which identities they write; empty is NamesBoth. NamesMixed and
	// NamesChanging need a pattern that awaits replies, since no server can know that two names are
	// one person before they were seen together.
	Names Names
	// Duplicates is the share of webhooks, in percent, that are posted twice: at once or later.
	Duplicates int
	// Swaps is the share of neighbouring messages of a user, in percent, that are posted in the
	// other order than they were sent.
	Swaps int
	// Concurrency is how many users are in flight at once, where no Rate is given: with a webhook
	// under way or waiting for a reply.
	Concurrency int
	// Rate, in messages a second, makes the load open: messages are due at their times, however
	// slow the bot is, and latencies count from those times. 0 sends as fast as the bot replies. At
	// most 1024 webhooks are under way.
	Rate float64
	// Flood, in messages a second, lets one more user flood the bot in every other two seconds. It
	// needs a Rate.
	Flood float64
	// Seed makes the plan the same in every run.
	Seed uint64
}

// allStatuses are what WhatsApp tells of a reply that was taken.
var allStatuses = []string{"sent", "delivered", "read"}

// maxMessages bounds what a run keeps in memory, about 100 bytes each.
const maxMessages = 100_000_000

// check returns where the webhooks go.
func (o *Options) check() ([]*url.URL, error) {
	var to []*url.URL
	for one := range strings.SplitSeq(o.URL, ",") {
		u, err := url.Parse(one)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, fmt.Errorf("simulate: url %q is no http address of a webhook", one)
		}
		to = append(to, u)
	}
	if err := o.Load.check(); err != nil {
		return nil, err
	}
	if o.GiveUp < 0 || o.Settle < 0 || o.Wait < 0 || o.Faults.MinLatency < 0 {
		return nil, errors.New("simulate: wait, give-up, settle and graph-latency must not be negative")
	}
	for _, status := range o.Statuses {
		if !slices.Contains(allStatuses, status) {
			return nil, fmt.Errorf("simulate: there is no status %q: one of %v", status, allStatuses)
		}
	}
	return to, nil
}

// check finds a load that can't be made.
func (l *Load) check() error {
	switch {
	case l.Users < 1 || l.Messages < 1 || l.Users > maxMessages/l.Messages:
		return fmt.Errorf("simulate: %d users with %d messages each: at least 1, at most %d in all", l.Users,
			l.Messages, maxMessages)
	case !slices.Contains(Patterns, l.Pattern):
		return fmt.Errorf("simulate: there is no pattern %q: one of %v", l.Pattern, Patterns)
	case l.Names != "" && !slices.Contains(AllNames, l.Names):
		return fmt.Errorf("simulate: there are no names %q: one of %v", l.Names, AllNames)
	case l.Names != "" && l.Names != NamesBoth && l.Names != NamesHidden && l.Pattern != Steady && l.Pattern != Pairs:
		return fmt.Errorf("simulate: names %s need the pattern steady or pairs", l.Names)
	case l.Pattern == Taps && (l.Swaps > 0 || l.Media > 0):
		return errors.New("simulate: taps are neither swapped nor images")
	case l.Gap < 0 || l.Gap > 0 && (l.Pattern != Burst || l.Rate > 0):
		return errors.New("simulate: a gap is between the messages of a burst, without a rate")
	case l.Flood < 0 || l.Flood > 0 && l.Rate == 0:
		return errors.New("simulate: a flood needs a rate for the other users, so that both are asked alike")
	case l.Media < 0 || l.Media > 100:
		return errors.New("simulate: media is a percentage from 0 to 100")
	case l.Duplicates < 0 || l.Duplicates > 100 || l.Swaps < 0 || l.Swaps > 100:
		return errors.New("simulate: duplicates and swaps are percentages from 0 to 100")
	case l.Concurrency < 1:
		return errors.New("simulate: concurrency must be at least 1")
	case l.Rate < 0 || l.Duration < 0:
		return errors.New("simulate: rate and duration must not be negative")
	}
	return nil
}
