package persistence

import "sync"

// gate keeps the database open while it is read. A plain read lock would not do: a reader whose
// callback reads again would wait behind Close, which waits for the reader.
type gate struct {
	mu      sync.Mutex
	closed  bool
	readers sync.WaitGroup
}

// enter lets a reader in; leave must follow.
func (g *gate) enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return ErrClosed
	}
	g.readers.Add(1)
	return nil
}

func (g *gate) leave() { g.readers.Done() }

// close lets nobody more in and waits for those inside.
func (g *gate) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.readers.Wait()
}
