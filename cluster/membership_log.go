package cluster

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// complainEvery is how often one complaint about others' gossip is repeated, at most.
const complainEvery = time.Minute

// anotherSecret is what the library says, in lines and in errors, when it can't decrypt something;
// its versions differ in case.
const anotherSecret = "no installed keys could decrypt"

// complaints are what an operator should know of what the library logs: a text in its line, in
// lower case, and what it means.
var complaints = []struct{ contains, says string }{
	{anotherSecret, "refused gossip of somebody with another secret"},
	{"remote state is not encrypted", "refused gossip of somebody without a secret"},
	{"unacceptable label", "refused gossip of another cluster"},
	{"udp probes failed", "a node answers over TCP, but not over UDP: the gossip port must be open for both"},
}

// gossipLog takes the library's log. It writes a line for each probe that fails and each connection
// that comes in: that is for debugging.
type gossipLog struct {
	logger *slog.Logger
	now    func() time.Time

	mu         sync.Mutex
	complained map[string]time.Time
}

func newGossipLog(logger *slog.Logger, now func() time.Time) *gossipLog {
	return &gossipLog{logger: logger, now: now, complained: map[string]time.Time{}}
}

// Write takes one line.
func (g *gossipLog) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	if _, after, found := strings.Cut(text, "memberlist: "); found {
		text = after
	}
	lower := strings.ToLower(text)
	for _, complaint := range complaints {
		if strings.Contains(lower, complaint.contains) {
			if g.due(complaint.says) {
				g.logger.Warn(complaint.says, "detail", text)
			}
			return len(line), nil
		}
	}
	if g.logger.Enabled(context.Background(), slog.LevelDebug) {
		g.logger.Debug("gossip", "detail", text)
	}
	return len(line), nil
}

func (g *gossipLog) due(complaint string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	if last, before := g.complained[complaint]; before && now.Sub(last) < complainEvery {
		return false
	}
	g.complained[complaint] = now
	return true
}
