package node

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/internal/pause"
	"github.com/wactor/wactor/persistence/store"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// letters counts the dead letters that are open in the shards that this node leads, by channel. A
// shard is counted when its leadership comes, and each change from then on; it is counted anew once
// in a while, since a change whose commit failed was counted, too.
type letters struct {
	store *store.Store
	end   context.CancelFunc
	done  sync.WaitGroup

	mu     sync.Mutex
	shards map[uint32]*shardLetters
}

// shardLetters are those of one shard.
type shardLetters struct {
	byChannel map[string]int
	// counted is when it was counted; zero where that is still to be done. changes grows with each
	// change since this node leads the shard.
	counted time.Time
	changes int
}

const (
	lettersLook    = time.Second
	lettersRecount = time.Hour
	// lettersTries is how often a shard is counted in which letters come meanwhile.
	lettersTries = 3
	// lettersPage is how many conversations are looked at in one read.
	lettersPage = 1000
)

// start begins to count, until stop.
func (l *letters) start(s *store.Store) {
	ctx, end := context.WithCancel(context.Background())
	l.store, l.end = s, end
	l.done.Go(func() { l.watch(ctx) })
}

// stop ends what start began, if it did.
func (l *letters) stop() {
	if l.end != nil {
		l.end()
		l.done.Wait()
	}
}

// led notes whether this node leads a shard.
func (l *letters) led(shard uint32, leads bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !leads:
		delete(l.shards, shard)
	case l.shards[shard] == nil:
		if l.shards == nil {
			l.shards = map[uint32]*shardLetters{}
		}
		l.shards[shard] = &shardLetters{byChannel: map[string]int{}}
	}
}

// changed notes that a conversation of a channel has so many more letters, or less.
func (l *letters) changed(shard uint32, channel string, change int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.shards[shard]; s != nil {
		s.byChannel[channel] += change
		s.changes++
	}
}

// open are the letters of each channel.
func (l *letters) open() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	sums := map[string]int{}
	for _, s := range l.shards {
		for channel, n := range s.byChannel {
			sums[channel] += max(n, 0)
		}
	}
	return sums
}

// watch counts the shards that have to be, one after the other, until ctx ends.
func (l *letters) watch(ctx context.Context) {
	for pause.For(ctx, lettersLook) {
		for shard := l.due(); shard != 0 && ctx.Err() == nil; shard = l.due() {
			l.count(ctx, shard)
		}
	}
}

// due is a shard that is to be counted; 0 where none is.
func (l *letters) due() uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	for shard, s := range l.shards {
		if time.Since(s.counted) >= lettersRecount {
			return shard
		}
	}
	return 0
}

// count counts the letters of a shard, again where any came or went meanwhile.
func (l *letters) count(ctx context.Context, shard uint32) {
	for range lettersTries {
		before, leads := l.changesOf(shard)
		if !leads {
			return
		}
		found, err := l.find(ctx, shard)
		if err != nil {
			break // of a shard that is gone, or of the disk, which others report
		}
		if l.set(shard, found, before) {
			return
		}
	}
	l.set(shard, nil, -1)
}

var errPageFull = errors.New("node: a page is full")

// find looks for the letters of a shard. It reads a page of conversations at a time: what is
// deleted while a view of the store is open stays on the disk.
func (l *letters) find(ctx context.Context, shard uint32) (map[string]int, error) {
	found := map[string]int{}
	for behind, full := "", true; full; {
		var having []string
		looked := 0
		err := l.store.Conversations(shard, behind, func(name string, letters bool) error {
			behind = name
			if letters {
				having = append(having, name)
			}
			if looked++; looked == lettersPage {
				return errPageFull
			}
			return ctx.Err()
		})
		if full = errors.Is(err, errPageFull); err != nil && !full {
			return nil, err
		}
		for _, name := range having {
			id, err := conversation.ParseID(name)
			if err != nil {
				return nil, err
			}
			err = l.store.Scan(shard, name, wactorv1.RecordKind_RECORD_KIND_DEAD, func(_, _ []byte) error {
				found[id.Channel]++
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

func (l *letters) changesOf(shard uint32) (changes int, leads bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.shards[shard]; s != nil {
		return s.changes, true
	}
	return 0, false
}

// set notes what was counted; false where letters came or went since there were so many changes.
// Where nothing was counted, what is known stays, and the shard is counted later.
func (l *letters) set(shard uint32, found map[string]int, changes int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.shards[shard]
	switch {
	case s == nil:
		return true
	case found == nil:
		s.counted = time.Now().Add(lettersLook*60 - lettersRecount)
		return true
	case s.changes != changes:
		return false
	}
	s.byChannel, s.counted = found, time.Now()
	return true
}
