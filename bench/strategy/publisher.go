package strategy

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"

	amqp "github.com/rabbitmq/amqp091-go"
)

// publisher publishes to the exchange over a few channels, on which many confirmations are awaited
// at once.
type publisher struct {
	channels []*amqp.Channel
	next     atomic.Uint64
}

// publishChannels is how many there are: a channel writes one message at a time.
const publishChannels = 4

func newPublisher(connection *amqp.Connection) (*publisher, error) {
	p := &publisher{}
	for range publishChannels {
		channel, err := connection.Channel()
		if err != nil {
			return nil, err
		}
		if err := channel.Confirm(false); err != nil {
			return nil, err
		}
		p.channels = append(p.channels, channel)
	}
	return p, nil
}

// publish returns once the broker has confirmed: the message is in a queue, and on disk as far as
// the queue writes it.
func (p *publisher) publish(ctx context.Context, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("strategy: a message can't be written: %w", err)
	}
	channel := p.channels[p.next.Add(1)%uint64(len(p.channels))]
	confirmation, err := channel.PublishWithDeferredConfirmWithContext(ctx, exchange, m.User, false, false,
		amqp.Publishing{
			ContentType: "application/json", DeliveryMode: amqp.Persistent, MessageId: m.ID, Body: body,
		})
	if err != nil {
		return fmt.Errorf("strategy: a message was not published: %w", err)
	}
	confirmed, err := confirmation.WaitContext(ctx)
	if err == nil && !confirmed {
		err = errNotConfirmed
	}
	if err != nil {
		return fmt.Errorf("strategy: a message was not confirmed: %w", err)
	}
	return nil
}
