package config

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"9d": 9 * day, "1d12h": 36 * time.Hour, "0": 0, "1500ms": 1500 * time.Millisecond, "1h30m": 90 * time.Minute,
		"0d": 0,
	} {
		if got, ok := parseDuration(text); !ok || got != want {
			t.Errorf("%s: %s, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "d", "9", "-9d", "1.5d", "9d9d", "9d24h", "9d-1h", "9d5", "99999d", "9 d", "1w"} {
		if got, ok := parseDuration(text); ok {
			t.Errorf("%q was taken for %s", text, got)
		}
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]Size{"3MiB": 3 << 20, "64KiB": 64 << 10, "1GiB": 1 << 30, "1000": 1000,
		"12B": 12, "0": 0} {
		if got, ok := parseSize(text); !ok || got != want {
			t.Errorf("%s: %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "3MB", "3 MiB", "1.5MiB", "9223372036854775807KiB", "0x10"} {
		if got, ok := parseSize(text); ok {
			t.Errorf("%q was taken for %d", text, got)
		}
	}
}

// TestUnitsReadAsWritten: what a problem shows can be copied into the file.
func TestUnitsReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		duration := time.Duration(rapid.Int64Range(0, int64(100*day)/int64(time.Millisecond)).Draw(t,
			"ms")) * time.Millisecond
		if got, ok := parseDuration(formatDuration(duration)); !ok || got != duration {
			t.Errorf("%s was written %s", duration, formatDuration(duration))
		}
		size := Size(rapid.Int64Range(0, 1<<40).Draw(t, "size"))
		if got, ok := parseSize(size.String()); !ok || got != size {
			t.Errorf("%d was written %s", int64(size), size)
		}
	})
}
