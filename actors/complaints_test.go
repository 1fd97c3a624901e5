package actors

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestComplaintsAreFew: a cause has one line a minute, which says how often it was kept silent, and
// causes without end have an end.
func TestComplaintsAreFew(t *testing.T) {
	lines, now := &bytes.Buffer{}, time.Unix(0, 0)
	c := newComplaints(slog.New(slog.NewTextHandler(lines, nil)), func() time.Time { return now })
	fail := func(kind wactorv1.JournalKind, reason string) {
		c.journal("shop", func() string { return "x" }, []*wactorv1.JournalEntry{{Kind: kind, Reason: reason}})
	}
	told := func(want int, when string) {
		t.Helper()
		if got := strings.Count(lines.String(), "\n"); got != want {
			t.Errorf("%d lines %s, want %d:\n%s", got, when, want, lines)
		}
	}
	fail(wactorv1.JournalKind_JOURNAL_KIND_TURN, "fine")
	told(0, "of a turn")
	for range 10 {
		fail(wactorv1.JournalKind_JOURNAL_KIND_BOT_FAILED, "http 503")
		fail(wactorv1.JournalKind_JOURNAL_KIND_DEAD_LETTER, "http 503")
	}
	told(2, "of two causes")
	now = now.Add(complainEvery)
	fail(wactorv1.JournalKind_JOURNAL_KIND_BOT_FAILED, "http 503")
	told(3, "a minute later")
	if !strings.Contains(lines.String(), "times_before=9") {
		t.Errorf("it is not said how often:\n%s", lines)
	}
	lines.Reset()
	for i := range 2 * maxCauses {
		fail(wactorv1.JournalKind_JOURNAL_KIND_BOT_FAILED, fmt.Sprint("reason ", i))
	}
	told(maxCauses-1, "of many causes")
	now = now.Add(complainEvery)
	fail(wactorv1.JournalKind_JOURNAL_KIND_BOT_FAILED, "another reason")
	told(maxCauses, "a minute after many")
}

// TestFailuresAreLogged, and nobody is named, unless the operator wants it.
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
