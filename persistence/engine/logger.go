package engine

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"strings"

	"github.com/cockroachdb/redact"
)

// hiddenKey keeps names out of the engine's messages: of a key they show the shard, the class and
// the length.
type hiddenKey []byte

// Format implements fmt.Formatter.
func (k hiddenKey) Format(f fmt.State, _ rune) {
	if len(k) < 5 {
		fmt.Fprintf(f, "key of %d bytes", len(k))
		return
	}
	fmt.Fprintf(f, "shard %d class %#x key of %d bytes", binary.BigEndian.Uint32(k), k[4], len(k))
}

// engineLogger passes the engine's errors on and keeps its chatter at debug level. It never logs a
// key: what the engine does not know to be harmless is left out.
type engineLogger struct {
	logger *slog.Logger
	fatal  func(error)
}

func (l engineLogger) Infof(format string, args ...any) {
	if l.logger.Enabled(context.Background(), slog.LevelDebug) {
		l.logger.Debug("storage engine: " + harmless(format, args...))
	}
}

func (l engineLogger) Errorf(format string, args ...any) {
	l.logger.Error("storage engine: " + harmless(format, args...))
}

// Fatalf must not return: the engine goes on as if nothing had happened.
func (l engineLogger) Fatalf(format string, args ...any) {
	l.fatal(fmt.Errorf("persistence: storage engine: %s", harmless(format, args...)))
	panic("persistence: the process goes on after a fatal error of the disk")
}

func harmless(format string, args ...any) string {
	line, _, _ := strings.Cut(string(redact.Sprintf(format, args...).Redact()), "\n") // a stack may follow
	return line
}
