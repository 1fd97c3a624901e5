package graph

import (
	"context"
	"sync"
)

const (
	// maxMarks bounds the read marks under way at once.
	maxMarks = 16
	// keepMarks is how many message ids are remembered, so that the replies of one turn mark their
	// message once.
	keepMarks = 1024
)

// readMarks marks messages as read beside the sends, so that a reply never waits for a mark. It
// owns the goroutines that do so: close cancels them and waits.
type readMarks struct {
	mark   func(ctx context.Context, messageID string)
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	running int
	known   map[string]struct{}
	// order holds the known ids in a ring; next is the place of the oldest.
	order [keepMarks]string
	next  int
}

func newReadMarks(mark func(ctx context.Context, messageID string)) *readMarks {
	ctx, cancel := context.WithCancel(context.Background())
	return &readMarks{mark: mark, ctx: ctx, cancel: cancel, known: make(map[string]struct{})}
}

// offer marks a message unless that was done lately, too many marks are under way, or the marks are
// closed.
func (m *readMarks) offer(messageID string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if messageID == "" || m.closed || m.running >= maxMarks || !m.remember(messageID) {
		return
	}
	m.running++
	m.done.Go(func() {
		m.mark(m.ctx, messageID)
		m.mu.Lock()
		m.running--
		m.mu.Unlock()
	})
}

// note remembers a message that was marked by other means.
func (m *readMarks) note(messageID string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remember(messageID)
}

// remember says whether the id is new.
func (m *readMarks) remember(messageID string) bool {
	if _, is := m.known[messageID]; is {
		return false
	}
	delete(m.known, m.order[m.next])
	m.order[m.next] = messageID
	m.known[messageID] = struct{}{}
	m.next = (m.next + 1) % keepMarks
	return true
}

func (m *readMarks) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.cancel()
	m.done.Wait()
}
