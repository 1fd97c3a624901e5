package node

import (
	"errors"
	"fmt"
	"sync"

	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/persistence/replication"
	"github.com/wactor/wactor/persistence/store"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// actorStore is what the actors see of persistence: the same reads, and errors in their own words.
type actorStore struct{ *store.Store }

var _ actors.Store = actorStore{}

func (s actorStore) Propose(shard uint32, term uint64, command *wactorv1.Command, lazy bool, done func(error)) {
	propose := s.Store.Propose
	if lazy {
		propose = s.Store.ProposeLazy
	}
	propose(shard, term, command, func(_ uint64, err error) { done(actorsError(err)) })
}

func actorsError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, replication.ErrOverloaded):
		return fmt.Errorf("%w: %w", delivery.ErrOverloaded, err)
	case errors.Is(err, replication.ErrNotLeader):
		return fmt.Errorf("%w: %w", delivery.ErrNotLeader, err)
	}
	return err
}

// leaderships passes changes of leadership on, in order; those before a receiver is attached are
// kept.
type leaderships struct {
	mu      sync.Mutex
	notify  func(shard uint32, leadership replication.Leadership)
	waiting []func()
	known   map[uint32]replication.Leadership
}

// set takes one change. It is called by the store and does not block.
func (l *leaderships) set(shard uint32, leadership replication.Leadership) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil {
		l.known = map[uint32]replication.Leadership{}
	}
	l.known[shard] = leadership
	if l.notify == nil {
		l.waiting = append(l.waiting, func() { l.notify(shard, leadership) })
		return
	}
	l.notify(shard, leadership)
}

// attach sets the function that is notified from now on, and passes it the changes that were kept.
func (l *leaderships) attach(notify func(shard uint32, leadership replication.Leadership)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notify = notify
	for _, pass := range l.waiting {
		pass()
	}
	l.waiting = nil
}

// led returns the number of shards whose conversations may be used here; the meta group, shard 0,
// has none.
func (l *leaderships) led() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for shard, leadership := range l.known {
		if leadership.Ready && shard != 0 {
			n++
		}
	}
	return n
}

// term is the one in which this node leads a shard and may use it; 0 where it does not.
func (l *leaderships) term(shard uint32) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if leadership := l.known[shard]; leadership.Ready {
		return leadership.Term
	}
	return 0
}
