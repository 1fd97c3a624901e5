package node

import (
	"container/list"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/wactor/wactor/internal/ratelog"
)

// connections bounds those of a listener, so that idle ones can't take the files that the store
// needs. When there are too many, the one that has been without a request for longest is closed:
// its peer has nothing under way.
type connections struct {
	most int
	log  *ratelog.Logger

	mu    sync.Mutex
	open  map[net.Conn]*list.Element // nil while a request is under way
	quiet *list.List                 // of net.Conn, the longest without a request first
}

func newConnections(most int, logger *slog.Logger) *connections {
	return &connections{most: most, log: ratelog.New(logger, time.Now), open: map[net.Conn]*list.Element{},
		quiet: list.New()}
}

// state follows a connection; it is for http.Server.ConnState.
func (c *connections) state(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.open[conn]; at != nil {
		c.quiet.Remove(at)
	}
	switch state {
	case http.StateNew, http.StateIdle:
		c.open[conn] = c.quiet.PushBack(conn)
	case http.StateActive:
		c.open[conn] = nil
	default:
		delete(c.open, conn)
	}
	if state == http.StateNew && len(c.open) > c.most {
		c.closeOldest()
	}
}

func (c *connections) closeOldest() {
	oldest := c.quiet.Front() // there is one: the new connection
	conn := c.quiet.Remove(oldest).(net.Conn)
	delete(c.open, conn)
	_ = conn.Close()
	c.log.Warn("full", "a listener has as many connections as it may; one without a request was closed",
		func() []any { return []any{"most", c.most} })
}
