package actors

import (
	"log/slog"
	"time"

	"github.com/wactor/wactor/internal/ratelog"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// complaints let an operator see in the log that turns and sends fail. What became of one
// conversation is in its journal, but operators look there only when they know of it. What fails
// for one fails for thousands, so each cause has one line a minute.
//
// That a conversation has another owner is no failure, and has a line each time: a person waits, or
// has come.
type complaints struct {
	log    *ratelog.Logger
	owners *slog.Logger
}

// cause is a kind of failure on a channel, and its reason: a class and a code, never what a user
// wrote.
type cause struct {
	channel string
	kind    wactorv1.JournalKind
	reason  string
}

// failures are the journal entries that are logged, and how.
var failures = map[wactorv1.JournalKind]string{
	wactorv1.JournalKind_JOURNAL_KIND_BOT_FAILED:  "a bot failed",
	wactorv1.JournalKind_JOURNAL_KIND_SEND_FAILED: "a reply was not taken, and is sent again later",
	wactorv1.JournalKind_JOURNAL_KIND_DEAD_LETTER: "a dead letter is written: see wactor conversations dead-letters",
}

func newComplaints(logger *slog.Logger, now func() time.Time) complaints {
	return complaints{log: ratelog.New(logger, now), owners: logger}
}

// journal logs the failures that a commit records of a conversation; name is that in logs.
func (c complaints) journal(channel string, name func() string, entries []*wactorv1.JournalEntry) {
	for _, e := range entries {
		if text := failures[e.Kind]; text != "" {
			c.log.Warn(cause{channel, e.Kind, e.Reason}, text, func() []any {
				return []any{"channel", channel, "reason", e.Reason, "conversation", name()}
			})
		}
		if e.Kind == wactorv1.JournalKind_JOURNAL_KIND_OWNER {
			c.owners.Info("a conversation has another owner", "channel", channel, "conversation", name(),
				"owner", e.Status, "by", e.By, "reason", e.Reason)
		}
	}
}
