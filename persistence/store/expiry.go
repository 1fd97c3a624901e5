package store

import (
	"maps"
	"sync"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
	"github.com/wactor/wactor/persistence/replication"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// expiryInterval is how often a leader looks for message ids that are older than the window. They
// are forgotten a generation (days) at a time, so that nothing is gained by looking more often.
const expiryInterval = time.Hour

// expiry has the message ids forgotten that no conversation asks for any more. The leader of a
// shard proposes it, when it gains leadership and from time to time, so that all replicas forget
// the same: time is a value in the command, nothing on a replica reads a clock. What it costs does
// not depend on what is stored: a look at the first id, and one deletion of a range.
type expiry struct {
	store *Store
	wake  chan struct{} // holds one token after leadership was gained

	mu  sync.Mutex
	led map[uint32]uint64 // terms by the shards that are led

	stop     chan struct{}
	stopOnce sync.Once
	stopped  sync.WaitGroup
}

func newExpiry(s *Store) *expiry {
	return &expiry{store: s, wake: make(chan struct{}, 1), led: map[uint32]uint64{}, stop: make(chan struct{})}
}

// observe takes news of leadership. It does not block.
func (e *expiry) observe(shard uint32, now replication.Leadership) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !now.Ready {
		delete(e.led, shard)
		return
	}
	e.led[shard] = now.Term
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

func (e *expiry) start() { e.stopped.Go(e.run) }

// close stops the expiry and waits until it has.
func (e *expiry) close() {
	e.stopOnce.Do(func() { close(e.stop) })
	e.stopped.Wait()
}

func (e *expiry) run() {
	ticker := time.NewTicker(expiryInterval)
	defer ticker.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-e.wake:
		case <-ticker.C:
		}
		if err := e.sweep(); err != nil {
			e.store.options.Logger.Error("old message ids can't be looked for", "error", err)
		}
	}
}

// sweep proposes the expiry in every led shard that has something to forget. A proposal that fails
// is made again in an hour.
func (e *expiry) sweep() error {
	o := &e.store.options
	before := conversation.ForgetBefore(o.Now().UnixMilli(), o.DedupWindow.Milliseconds())
	e.mu.Lock()
	led := maps.Clone(e.led)
	e.mu.Unlock()
	for shard, term := range led {
		old, err := e.store.seenBefore(shard, before)
		if err != nil {
			return err
		}
		if old {
			command := &wactorv1.Command{Command: &wactorv1.Command_ExpireSeen{ExpireSeen: &wactorv1.ExpireSeen{
				Before: before}}}
			e.store.Propose(shard, term, command, func(_ uint64, err error) {
				o.Logger.Debug("message ids expired", "shard", shard, "before", before, "error", err)
			})
		}
	}
	return nil
}

// seenBefore reports whether a shard holds message ids of generations before one.
func (s *Store) seenBefore(shard, before uint32) (found bool, err error) {
	err = s.Read(shard, func() error {
		iter, err := s.db.NewIter(engine.Bounds(record.SeenBefore(shard, before)))
		if err != nil {
			return engine.Error(err)
		}
		found = iter.First()
		return engine.Error(iter.Close())
	})
	return found, err
}
