package store

import (
	"math/rand/v2"
	"sync"
)

// Feed is the sequence of conversations of one shard that were changed, as this node's replica
// applies their commits. It is for readers beside the way of a message (live pages, exports,
// incremental backups) and never waits for them: it keeps the newest feedLength changes, and a
// reader that comes too late gets a gap, and has to look at the whole shard (View). A conversation
// may stand in it several times; what it looks like now is for the reader to load.
type Feed struct {
	mu    sync.Mutex
	epoch uint64 // of this opening: positions of another one mean nothing here
	next  uint64 // the number of the next change
	first uint64 // the number of the oldest change that is kept
	ring  []string
	// changed is closed with the next change; nil where no reader waits.
	changed chan struct{}

	// batch is what is being applied, and in the engine only when its round ends. The shard's lane
	// alone uses it.
	batch []string
}

// feedLength is how many changes a feed keeps: a second of a busy shard. They take 16 bytes each
// beside the names, which commits share.
const feedLength = 1024

// Position is a place in a feed. The zero Position is behind a gap.
type Position struct{ epoch, next uint64 }

func newFeed() *Feed { return &Feed{epoch: rand.Uint64() | 1} }

// Feed is the feed of a shard; nil where there is no such shard. Where this node has no replica of
// it, nothing changes.
func (s *Store) Feed(shard uint32) *Feed {
	if int64(shard) >= int64(len(s.feeds)) {
		return nil
	}
	return s.feeds[shard]
}

// Position is behind the newest change.
func (f *Feed) Position() Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Position{f.epoch, f.next}
}

// Since returns the conversations that were changed behind a position, in order, and the position
// behind them. With a gap, changes were lost: after a restart of the node, a snapshot from another
// one, or a reader's absence. Then there are no names, and the position is behind the newest
// change.
func (f *Feed) Since(at Position) (names []string, now Position, gap bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now = Position{f.epoch, f.next}
	if at.epoch != f.epoch || at.next < f.first {
		return nil, now, true
	}
	for n := at.next; n < f.next; n++ {
		names = append(names, f.ring[n%feedLength])
	}
	return names, now, false
}

// Changed returns a channel that is closed once there is a change behind a position.
func (f *Feed) Changed(at Position) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at != (Position{f.epoch, f.next}) {
		closed := make(chan struct{})
		close(closed)
		return closed
	}
	if f.changed == nil {
		f.changed = make(chan struct{})
	}
	return f.changed
}

// note takes a change that is being applied.
func (f *Feed) note(name string) { f.batch = append(f.batch, name) }

// publish shows the changes that are in the engine now.
func (f *Feed) publish() {
	if len(f.batch) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ring == nil {
		f.ring = make([]string, feedLength)
	}
	for _, name := range f.batch {
		f.ring[f.next%feedLength] = name
		f.next++
	}
	if f.next > feedLength {
		f.first = max(f.first, f.next-feedLength)
	}
	clear(f.batch)
	f.batch = f.batch[:0]
	f.wake()
}

// skip makes a gap: the state was replaced, and what changed by that is not known.
func (f *Feed) skip() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.batch)
	f.batch = f.batch[:0]
	f.next++
	f.first = f.next
	f.wake()
}

func (f *Feed) wake() {
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}
