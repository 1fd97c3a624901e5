package strategy

import (
	"errors"
	"fmt"
	"strconv"

	amqp "github.com/rabbitmq/amqp091-go"
)

// exchange hashes users over queues: all messages of one user go to one queue.
const exchange = "messages"

func queueName(i int) string { return "messages." + strconv.Itoa(i) }

// declare makes the exchange and its queues, which outlive the broker. It may be done by several at
// once, and again.
func declare(connection *amqp.Connection, queues int, kind string) error {
	channel, err := connection.Channel()
	if err != nil {
		return err
	}
	defer channel.Close()
	if err := channel.ExchangeDeclare(exchange, "x-consistent-hash", true, false, false, false, nil); err != nil {
		return fmt.Errorf("exchange: %w", err)
	}
	for i := range queues {
		arguments := amqp.Table{"x-single-active-consumer": true, "x-queue-type": kind}
		if _, err := channel.QueueDeclare(queueName(i), true, false, false, false, arguments); err != nil {
			return fmt.Errorf("queue: %w", err)
		}
		// the key is the queue's weight
		if err := channel.QueueBind(queueName(i), "1", exchange, false, nil); err != nil {
			return fmt.Errorf("binding: %w", err)
		}
	}
	return nil
}

// errNotConfirmed says that the broker did not take a message.
var errNotConfirmed = errors.New("the broker refused it")
