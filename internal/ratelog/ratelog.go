// Package ratelog keeps a log readable while one cause fails thousands of times: each cause has one
// line a minute, which counts those that were left out.
package ratelog

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// every is how long a cause has no second line.
	every = time.Minute
	// maxCauses bounds the causes that are distinguished, and the memory. Further ones share a
	// line.
	maxCauses = 200
)

// Logger writes at most one line a minute for each cause. It is safe for concurrent use.
type Logger struct {
	logger *slog.Logger
	now    func() time.Time

	mu     sync.Mutex
	causes map[any]*cause
}

type cause struct {
	at      time.Time
	skipped int // lines left out since
}

// overflow is the cause of all that are too many to be distinguished.
type overflow struct{}

// New returns a Logger that writes to logger and reads its clock from now.
func New(logger *slog.Logger, now func() time.Time) *Logger {
	return &Logger{logger: logger, now: now, causes: map[any]*cause{}}
}

// Warn logs at level WARN, unless the same cause, a comparable value, had a line within the last
// minute. The next line of a cause has an attribute times_before, the number of those left out.
// The attributes are made only for a line that is written.
func (l *Logger) Warn(why any, message string, attributes func() []any) {
	l.Log(slog.LevelWarn, why, message, attributes)
}

// Log is Warn at another level.
func (l *Logger) Log(level slog.Level, why any, message string, attributes func() []any) {
	skipped, due := l.due(why)
	if !due {
		return
	}
	var all []any
	if attributes != nil {
		all = attributes()
	}
	if skipped > 0 {
		all = append(all, "times_before", skipped)
	}
	l.logger.Log(context.Background(), level, message, all...)
}

// due counts an occurrence and reports whether it gets a line.
func (l *Logger) due(why any) (skipped int, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	known := l.causes[why]
	if known == nil && len(l.causes) >= maxCauses {
		l.forget(now)
		if len(l.causes) >= maxCauses {
			why = overflow{}
			known = l.causes[why]
		}
	}
	switch {
	case known == nil:
		l.causes[why] = &cause{at: now}
		return 0, true
	case now.Sub(known.at) < every:
		known.skipped++
		return 0, false
	}
	skipped = known.skipped
	*known = cause{at: now}
	return skipped, true
}

// forget drops the causes that may have a line again.
func (l *Logger) forget(now time.Time) {
	for why, known := range l.causes {
		if now.Sub(known.at) >= every {
			delete(l.causes, why)
		}
	}
}
