package actors

import (
	"log/slog"
	"sync"
	"time"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// complaints tell an operator in the log that turns and sends fail: what became of one conversation
// is in its journal, but nobody looks there who does not know of it. What fails for one fails for
// thousands, so each cause has one line a minute.
type complaints struct {
	logger *slog.Logger
	now    func() time.Time

	mu   sync.Mutex
	said map[cause]*complaint
}

// cause is a kind of failure on a channel, and its reason: a class and a code, never what a user
// wrote.
type cause struct {
	channel string
	kind    wactorv1.JournalKind
	reason  string
}

type complaint struct {
	at     time.Time
	silent int // how often since
}

const (
	complainEvery = time.Minute
	// maxCauses bounds the causes that are told apart. A bot may name ever new ones.
	maxCauses = 200
)

// failures are the journal entries that are told, and how.
var failures = map[wactorv1.JournalKind]string{
	wactorv1.JournalKind_JOURNAL_KIND_BOT_FAILED:  "a bot failed",
	wactorv1.JournalKind_JOURNAL_KIND_SEND_FAILED: "a reply was not taken, and is sent again later",
	wactorv1.JournalKind_JOURNAL_KIND_DEAD_LETTER: "a dead letter is written: see wactor conversations dead-letters",
}

func newComplaints(logger *slog.Logger, now func() time.Time) *complaints {
	return &complaints{logger: logger, now: now, said: map[cause]*complaint{}}
}

// journal tells what a commit has to tell of a conversation; name is that in logs.
func (c *complaints) journal(channel string, name func() string, entries []*wactorv1.JournalEntry) {
	for _, e := range entries {
		if text := failures[e.Kind]; text != "" {
			c.say(text, cause{channel, e.Kind, e.Reason}, name)
		}
	}
}

func (c *complaints) say(text string, why cause, name func() string) {
	silent, told := c.told(why)
	if told {
		return
	}
	attributes := []any{"channel", why.channel, "reason", why.reason, "conversation", name()}
	if silent > 0 {
		attributes = append(attributes, "times_before", silent)
	}
	c.logger.Warn(text, attributes...)
}

// told reports whether a cause was told lately; else how often it was kept silent since.
func (c *complaints) told(why cause) (silent int, told bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	known := c.said[why]
	if known != nil && now.Sub(known.at) < complainEvery {
		known.silent++
		return 0, true
	}
	if known == nil && len(c.said) >= maxCauses {
		c.forget(now)
		if len(c.said) >= maxCauses {
			return 0, true
		}
	}
	if known != nil {
		silent = known.silent
	}
	c.said[why] = &complaint{at: now}
	return silent, false
}

// forget drops the causes that may be told again.
func (c *complaints) forget(now time.Time) {
	for why, known := range c.said {
		if now.Sub(known.at) >= complainEvery {
			delete(c.said, why)
		}
	}
}
