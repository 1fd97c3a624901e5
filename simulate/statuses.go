package simulate

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/internal/pause"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// statuses posts the delivery statuses of replies. What waits together travels together, as the
// provider does under load.
type statuses struct {
	words  []string
	poster *poster
	queue  chan emulator.Status
	// dropped counts those for which the queue had no room, and those that the bot did not take
	// within a minute.
	dropped atomic.Int64
	work    sync.WaitGroup
}

const (
	statusesAtOnce  = 50
	statusesWaiting = 100_000
	statusPosters   = 4
)

func newStatuses(o *Options, p *poster) *statuses {
	return &statuses{words: o.Statuses, poster: p, queue: make(chan emulator.Status, statusesWaiting)}
}

// took queues the statuses of a reply. Where the queue is full they are lost, as the provider
// promises none.
func (s *statuses) took(t emulator.Taken) {
	for _, word := range s.words {
		select {
		case s.queue <- t.Status(word, t.At):
		default:
			s.dropped.Add(1)
		}
	}
}

// start posts what is queued until ctx ends; wait for work then.
func (s *statuses) start(ctx context.Context) {
	for range statusPosters {
		s.work.Go(func() {
			for {
				select {
				case first := <-s.queue:
					s.deliver(ctx, s.gather(first))
				case <-ctx.Done():
					return
				}
			}
		})
	}
}

func (s *statuses) gather(first emulator.Status) []emulator.Status {
	batch := []emulator.Status{first}
	for len(batch) < statusesAtOnce {
		select {
		case next := <-s.queue:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// deliver sends a webhook of statuses until it is taken. It counts neither as a post nor for
// latencies: the load is messages.
func (s *statuses) deliver(ctx context.Context, batch []emulator.Status) {
	w := s.poster.sign(s.poster.number.Statuses(batch...))
	for wait := firstWait; wait < time.Minute; wait *= 2 {
		if status, err := s.poster.connections.post(ctx, w.body, w.signature); err == nil && status == http.StatusOK {
			return
		}
		if !pause.For(ctx, wait) {
			return
		}
	}
	s.dropped.Add(int64(len(batch)))
}
