package gossip

import (
	"context"
	"log/slog"
	"strings"

	"github.com/wactor/wactor/internal/ratelog"
)

// anotherSecret is what the library says, in lines and in errors, when it can't decrypt something;
// its versions differ in case.
const anotherSecret = "no installed keys could decrypt"

// complaints are what an operator should know of what the library logs: a text in its line, in
// lower case, and what it means.
var complaints = []struct{ contains, says string }{
	{anotherSecret, "rejected gossip of a program with another secret"},
	{"remote state is not encrypted", "rejected gossip of a program without a secret"},
	{"unacceptable label", "rejected gossip of another cluster"},
	{"udp probes failed", "a node answers over TCP, but not over UDP: the gossip port must be open for both"},
}

// libraryLog takes the library's log. It writes a line for each probe that fails and each
// connection that comes in: that is for debugging.
type libraryLog struct {
	complaints *ratelog.Logger
	logger     *slog.Logger
}

// Write takes one line.
func (l *libraryLog) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	if _, after, found := strings.Cut(text, "memberlist: "); found {
		text = after
	}
	lower := strings.ToLower(text)
	for _, complaint := range complaints {
		if strings.Contains(lower, complaint.contains) {
			l.complaints.Warn(complaint.says, complaint.says, func() []any { return []any{"detail", text} })
			return len(line), nil
		}
	}
	if l.logger.Enabled(context.Background(), slog.LevelDebug) {
		l.logger.Debug("gossip", "detail", text)
	}
	return len(line), nil
}
