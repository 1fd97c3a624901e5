package actors

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestOnlyFailuresAreLogged, once a minute for each cause.
func TestOnlyFailuresAreLogged(t *testing.T) {
	lines := &bytes.Buffer{}
	c := newComplaints(slog.New(slog.NewTextHandler(lines, nil)), func() time.Time { return time.Unix(0, 0) })
	for range 10 {
		for _, e := range []*wactorv1.JournalEntry{
			{Kind: wactorv1.JournalKind_JOURNAL_KIND_TURN, Reason: "fine"},
			{Kind: wactorv1.JournalKind_JOURNAL_KIND_BOT_FAILED, Reason: "http 503"},
			{Kind: wactorv1.JournalKind_JOURNAL_KIND_BOT_FAILED, Reason: "timeout"},
			{Kind: wactorv1.JournalKind_JOURNAL_KIND_DEAD_LETTER, Reason: "timeout"},
		} {
			c.journal("shop", func() string { return "x" }, []*wactorv1.JournalEntry{e})
		}
	}
	if got := strings.Count(lines.String(), "\n"); got != 3 {
		t.Errorf("%d lines of three causes:\n%s", got, lines)
	}
}

// TestFailuresAreLogged without a name of the user, unless the operator wants it.
func TestFailuresAreLogged(t *testing.T) {
	for _, sensitive := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			lines := &bytes.Buffer{}
			store := newMemoryStore()
			defer store.close()
			b := start(t, store, counter{before: func(*conversation.Turn) { panic("secret words") }}, func(o *Options) {
				o.Logger = slog.New(slog.NewTextHandler(lines, nil))
				if !sensitive {
					o.LogName = func(conversation.ID) string { return "c0ffee" }
				}
			})
			b.deliver("4915100000001", "wamid.1", "hello you").want(t, conversation.Accepted, nil)
			time.Sleep(time.Second)
			b.stop()
			for _, want := range []string{"a bot failed", "a dead letter is written", "reason=panic"} {
				if !strings.Contains(lines.String(), want) {
					t.Errorf("no %q in:\n%s", want, lines)
				}
			}
			if named := strings.Contains(lines.String(), "conversation=shop/4915100000001"); named != sensitive {
				t.Errorf("the user is named: %v, in:\n%s", named, lines)
			}
			for _, private := range []string{"wamid.1", "hello you", "secret words"} {
				if strings.Contains(lines.String(), private) {
					t.Errorf("%q is in the log:\n%s", private, lines)
				}
			}
		})
	}
}
