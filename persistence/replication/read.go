package replication

import (
	"errors"
	"sync"
	"sync/atomic"
)

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

// close lets no more readers in and waits for those inside.
func (g *gate) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.readers.Wait()
}

// Read runs a read of a shard while the engine is open. What was read is on the disk when it
// returns, also where fn ended it early with an error of its own; what fn is shown need not be yet.
func (h *Host) Read(shard uint32, fn func() error) error {
	if err := h.gate.enter(); err != nil {
		return err
	}
	defer h.gate.leave()
	err := fn()
	if unknown := h.unsynced.await(shard, h.lane(shard).ended); unknown != nil {
		return errors.Join(err, unknown)
	}
	return err
}

// Hold keeps the engine open, which Close waits for, until release is called.
func (h *Host) Hold() (release func(), err error) {
	if err := h.gate.enter(); err != nil {
		return nil, err
	}
	return h.gate.leave, nil
}

// unsynced is, by shard, closed when what a lane applies directly is on the disk; nil where nothing
// is on its way.
type unsynced []atomic.Pointer[chan struct{}]

// hold lets readers of shards in which entries are applied directly wait until written is called:
// the engine shows a batch before it is synced, and no reader may see, and act on, what a power cut
// could take back.
func (u unsynced) hold(round []work) (written func()) {
	done := make(chan struct{})
	for _, w := range round {
		if w.log.direct && len(w.ready.Entries) > 0 {
			u[w.shard].Store(&done)
		}
	}
	return func() {
		for _, w := range round {
			u[w.shard].Store(nil)
		}
		close(done)
	}
}

// await returns when what the engine shows of a shard is on the disk; ErrClosed where that will
// never be, since its lane has ended.
func (u unsynced) await(shard uint32, ended <-chan struct{}) error {
	if int(shard) >= len(u) {
		return nil
	}
	written := u[shard].Load()
	if written == nil {
		return nil
	}
	select {
	case <-*written:
		return nil
	case <-ended:
		return ErrClosed
	}
}
