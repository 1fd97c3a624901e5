package strategy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
)

// Strategy is a way to handle messages of one user that come at the same time, in several
// processes.
type Strategy interface {
	// Handle takes one message. Once it returned nil the webhook is answered 200, and the provider
	// forgets the message. It is called on the request's goroutine, by many at once, and may block
	// for as long as the provider waits.
	Handle(ctx context.Context, m Message) error
	// Close waits for what runs, and closes the connections. Nothing is handled after it.
	Close()
}

// Options say where a strategy finds what it needs.
type Options struct {
	// Redis is host:port.
	Redis string
	// Postgres is a connection string.
	Postgres string
	// AMQP is an amqp:// address.
	AMQP string
	// Process of Processes tells the processes of one system apart, from 0, so that they can share
	// out queues.
	Process, Processes int
	// Connections is the most that one process opens to PostgreSQL, and four times that to Redis.
	Connections int
	// Queues are those of the consistent-hash exchange.
	Queues int
	// QueueType is classic or quorum.
	QueueType string
	// Log tells what went wrong in the background.
	Log *slog.Logger
	// Fail is called when a strategy can't go on; a supervisor restarts the process then.
	Fail func(error)
}

// Reply sends a text to the user of a message, and is retried where that helps. It is safe for
// concurrent use.
type Reply func(ctx context.Context, m Message, text string) error

// Names are those that New knows, in the order of the table.
var Names = []string{"memory", "redis", "redislock", "occ", "rabbitmq", "naive"}

// ErrUnknown says that there is no strategy of a name.
var ErrUnknown = errors.New("strategy: unknown name")

// New connects a strategy to its stores.
func New(ctx context.Context, name string, o Options, reply Reply) (Strategy, error) {
	switch name {
	case "memory":
		return newMemory(reply), nil
	case "redis":
		return newRedisOnly(ctx, o, reply)
	case "redislock":
		return newRedisLock(ctx, o, reply)
	case "occ":
		return newOCC(ctx, o, reply)
	case "rabbitmq":
		return newRabbitMQ(ctx, o, reply)
	case "naive":
		return newNaive(ctx, o, reply)
	}
	return nil, fmt.Errorf("%w: %q is none of %v", ErrUnknown, name, Names)
}

// session is the state of one user's conversation, kept as JSON as session libraries keep theirs.
type session struct {
	N int `json:"n"`
}

func readSession(stored []byte) (s session, err error) {
	if len(stored) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(stored, &s); err != nil {
		return s, fmt.Errorf("strategy: a stored session can't be read: %w", err)
	}
	return s, nil
}

func (s session) store() []byte {
	out, err := json.Marshal(s)
	if err != nil {
		panic(err) // a struct of one number
	}
	return out
}

// answer is the bot: it counts the message and says what to reply.
func (s *session) answer(text string) string {
	s.N++
	return "step " + strconv.Itoa(s.N) + ": " + text
}
