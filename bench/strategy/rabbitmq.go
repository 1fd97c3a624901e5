package strategy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// rabbitMQ puts messages into durable queues by a hash of the user and answers the webhook once the
// broker has confirmed. Each queue has one active consumer over all processes, which takes one
// message after the other: session and the message's id go to PostgreSQL in one transaction, the
// reply is sent, the message acknowledged. The queue lets another process take over where one died;
// what was under way is delivered again then. A reply is lost where the process died after the
// commit and before it. During a takeover the old consumer may still run, which the version column
// catches.
type rabbitMQ struct {
	turns            *occ
	log              *slog.Logger
	outgoing, coming *amqp.Connection
	publisher        *publisher
	stop             context.CancelFunc
	work             sync.WaitGroup
}

const (
	// prefetch is how many messages of a queue wait at its consumer.
	prefetch = 50
	// standbyAfter is when a process offers itself for the queues of others: each is to have its
	// share first.
	standbyAfter = 2 * time.Second
)

func newRabbitMQ(ctx context.Context, o Options, reply Reply) (_ *rabbitMQ, err error) {
	turns, err := newOCC(ctx, o, reply)
	if err != nil {
		return nil, err
	}
	s := &rabbitMQ{turns: turns, log: o.Log, stop: func() {}}
	defer func() {
		if err != nil {
			s.Close()
			err = fmt.Errorf("strategy: RabbitMQ: %w", err)
		}
	}()
	// Two connections: a broker that slows down publishers must not slow down consumers.
	if s.outgoing, err = amqp.Dial(o.AMQP); err != nil {
		return nil, err
	}
	if s.coming, err = amqp.Dial(o.AMQP); err != nil {
		return nil, err
	}
	if err = declare(s.outgoing, o.Queues, o.QueueType); err != nil {
		return nil, err
	}
	if s.publisher, err = newPublisher(s.outgoing); err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	s.stop = stop
	return s, s.consume(running, o)
}

// consume subscribes to this process's share of the queues, and a little later to the others.
func (s *rabbitMQ) consume(ctx context.Context, o Options) error {
	for i := o.Process; i < o.Queues; i += o.Processes {
		if err := s.subscribe(ctx, i); err != nil {
			return err
		}
	}
	closed := s.coming.NotifyClose(make(chan *amqp.Error, 1))
	s.work.Go(func() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(standbyAfter):
		}
		for i := range o.Queues {
			if i%o.Processes == o.Process {
				continue
			}
			if err := s.subscribe(ctx, i); err != nil && ctx.Err() == nil {
				o.Fail(fmt.Errorf("strategy: RabbitMQ: %w", err))
				return
			}
		}
		select {
		case <-ctx.Done():
		case err := <-closed:
			o.Fail(fmt.Errorf("strategy: RabbitMQ: the connection was closed: %w", err))
		}
	})
	return nil
}

// subscribe takes the messages of one queue, one after the other, on a channel of its own.
func (s *rabbitMQ) subscribe(ctx context.Context, queue int) error {
	channel, err := s.coming.Channel()
	if err != nil {
		return err
	}
	if err := channel.Qos(prefetch, 0, false); err != nil {
		return err
	}
	deliveries, err := channel.ConsumeWithContext(ctx, queueName(queue), "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	s.work.Go(func() {
		for d := range deliveries {
			if ctx.Err() == nil {
				s.deliver(ctx, d)
			}
		}
	})
	return nil
}

// deliver handles one message and acknowledges it. Where that fails it goes back to its queue.
func (s *rabbitMQ) deliver(ctx context.Context, d amqp.Delivery) {
	var m Message
	if err := json.Unmarshal(d.Body, &m); err != nil {
		s.log.Error("a queue holds what is no message", "error", err)
		_ = d.Nack(false, false)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, handleWithin)
	defer cancel()
	err := s.turns.Handle(ctx, m)
	if err != nil {
		s.log.Warn("message not handled", "error", err)
		pause(ctx, 100*time.Millisecond)
		err = d.Nack(false, true)
	} else {
		err = d.Ack(false)
	}
	if err != nil && !errors.Is(err, amqp.ErrClosed) {
		s.log.Warn("delivery not settled", "error", err)
	}
}

func (s *rabbitMQ) Handle(ctx context.Context, m Message) error { return s.publisher.publish(ctx, m) }

func (s *rabbitMQ) Close() {
	s.stop()
	for _, connection := range []*amqp.Connection{s.coming, s.outgoing} {
		if connection != nil {
			_ = connection.Close()
		}
	}
	s.work.Wait()
	s.turns.Close()
}
