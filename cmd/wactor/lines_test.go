package main

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// lines is a writer whose content a test awaits.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	l.text.Write(p)
	l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

// await returns all that was written, once it holds a text.
func (l *lines) await(t *testing.T, text string) string {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		l.mu.Lock()
		all := l.text.String()
		l.mu.Unlock()
		if strings.Contains(all, text) {
			return all
		}
		select {
		case <-l.more:
		case <-deadline:
			t.Fatalf("%q was never printed; only:\n%s", text, all)
		}
	}
}
