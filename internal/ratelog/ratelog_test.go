package ratelog

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestACauseHasOneLineAMinute(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	l := New(slog.New(slog.NewTextHandler(&out, nil)), func() time.Time { return now })
	lines := func() []string { defer out.Reset(); return strings.Split(strings.TrimSpace(out.String()), "\n") }

	for range 3 {
		l.Warn("a", "it failed", func() []any { return []any{"code", 7} })
	}
	l.Warn("b", "it failed too", nil)
	if got := lines(); len(got) != 2 || !strings.Contains(got[0], "code=7") ||
		strings.Contains(got[0], "times_before") {
		t.Errorf("first minute: %q", got)
	}
	now = now.Add(time.Minute)
	l.Warn("a", "it failed", nil)
	if got := lines(); len(got) != 1 || !strings.Contains(got[0], "times_before=2") {
		t.Errorf("second minute: %q", got)
	}
}

func TestCausesAreBoundedAndTheRestSharesALine(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	l := New(slog.New(slog.NewTextHandler(&out, nil)), func() time.Time { return now })
	for i := range 3 * maxCauses {
		l.Warn(i, "it failed", nil)
	}
	if n := strings.Count(out.String(), "\n"); n != maxCauses+1 {
		t.Errorf("%d lines, want %d and one for the rest", n, maxCauses)
	}
	out.Reset()
	now = now.Add(time.Minute)
	l.Warn("new", "it failed", nil)
	if n := strings.Count(out.String(), "\n"); n != 1 || len(l.causes) != 1 {
		t.Errorf("after a minute: %d lines, %d causes kept", n, len(l.causes))
	}
}
