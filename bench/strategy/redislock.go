package strategy

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

// redisLock is a lock in Redis around a session in PostgreSQL. The lock is held until the reply is
// sent, so that replies keep the order of their steps. A message is noted as handled at the end:
// where the process dies before, it runs again, and counts twice. Where the lock expires under a
// slow handler, two run at once.
type redisLock struct {
	locks
	pool  *pgxpool.Pool
	reply Reply
}

func newRedisLock(ctx context.Context, o Options, reply Reply) (*redisLock, error) {
	client, err := openRedis(ctx, o.Redis, 4*o.Connections)
	if err != nil {
		return nil, err
	}
	pool, err := openPostgres(ctx, o.Postgres, o.Connections)
	if err != nil {
		client.Close()
		return nil, err
	}
	return &redisLock{locks{client: client}, pool, reply}, nil
}

func (s *redisLock) Handle(ctx context.Context, m Message) error {
	l, err := s.acquire(ctx, m)
	if err != nil {
		return err
	}
	if l.handled {
		return l.release(ctx, nil)
	}
	if err := s.turn(ctx, m); err != nil {
		_ = l.release(ctx, nil) // it expires otherwise
		return err
	}
	return l.release(ctx, func(pipe redis.Pipeliner) { pipe.Set(ctx, handledKey(m.ID), 1, rememberFor) })
}

func (s *redisLock) turn(ctx context.Context, m Message) error {
	state, err := readPlain(ctx, s.pool, m.User)
	if err != nil {
		return err
	}
	text := state.answer(m.Text)
	if err := writePlain(ctx, s.pool, m.User, state); err != nil {
		return err
	}
	return s.reply(ctx, m, text)
}

func (s *redisLock) Close() {
	s.pool.Close()
	s.client.Close()
}
