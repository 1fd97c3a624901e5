package strategy

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// redisOnly keeps lock, session and deduplication in Redis. With appendonly everysec, which is what
// people run, the last second is gone when the machine dies: a 200 does not mean that anything is
// on disk. Three round trips a message: lock and read; write the session and note the message, both
// or none; release.
type redisOnly struct {
	locks
	reply Reply
}

func newRedisOnly(ctx context.Context, o Options, reply Reply) (*redisOnly, error) {
	client, err := openRedis(ctx, o.Redis, 4*o.Connections)
	if err != nil {
		return nil, err
	}
	return &redisOnly{locks{client: client, session: true}, reply}, nil
}

func (s *redisOnly) Handle(ctx context.Context, m Message) error {
	l, err := s.acquire(ctx, m)
	if err != nil {
		return err
	}
	if !l.handled {
		err = s.turn(ctx, m, l)
	}
	if released := l.release(ctx, nil); err == nil {
		err = released
	}
	return err
}

func (s *redisOnly) turn(ctx context.Context, m Message, l *lock) error {
	state, err := readSession([]byte(l.session))
	if err != nil {
		return err
	}
	text := state.answer(m.Text)
	_, err = s.client.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Set(ctx, sessionKey(m.User), state.store(), 0)
		pipe.Set(ctx, handledKey(m.ID), 1, rememberFor)
		return nil
	})
	if err != nil {
		return fmt.Errorf("strategy: a session was not written: %w", err)
	}
	return s.reply(ctx, m, text)
}

func (s *redisOnly) Close() { s.client.Close() }
