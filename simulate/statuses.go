package simulate

import (
	"context"
	"sync"
	"time"

	"github.com/wactor/wactor/whatsapp/emulator"
)

// statuses posts the delivery statuses of replies. What waits together travels together, as the provider does under load.
type statuses struct {
	words  []string
	poster *poster
	queue  chan emulator.Status
	work   sync.WaitGroup
}

const statusesAtOnce = 50

func newStatuses(o *Options, p *poster) *statuses {
	return &statuses{words: o.Statuses, poster: p, queue: make(chan emulator.Status, 100_000)}
}

// took queues the statuses of a reply. Where the queue is full they are lost, as the provider promises none.
func (s *statuses) took(m emulator.Taken) {
	for _, word := range s.words {
		select {
		case s.queue <- emulator.Status{ID: m.ID, ReplyID: m.ReplyID, User: m.To, Status: word, AtMs: m.At.UnixMilli()}:
		default:
		}
	}
}

// start posts what is queued until ctx ends; wait for work then.
func (s *statuses) start(ctx context.Context) {
	for range 4 {
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

// deliver sends a webhook of statuses until it is taken. It counts neither as a post nor for latencies: the load is messages.
func (s *statuses) deliver(ctx context.Context, batch []emulator.Status) {
	w := s.poster.sign(s.poster.number.Statuses(batch...))
	for wait := 50 * time.Millisecond; s.poster.once(ctx, w) != 200 && wait < time.Minute; wait *= 2 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}
