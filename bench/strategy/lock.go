package strategy

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// lockFor is how long a lock holds when its owner dies. A handler that takes longer no longer
	// holds it, and does not know.
	lockFor = 5 * time.Second
	// lockPause is the mean wait before another try, times the number of tries, at most five.
	lockPause = 5 * time.Millisecond
	// rememberFor is how long handled messages are remembered. The provider repeats for up to 7
	// days; a day is what people keep.
	rememberFor = 24 * time.Hour
)

// openRedis opens a pool of up to so many connections.
func openRedis(ctx context.Context, address string, connections int) (*redis.Client, error) {
	client := redis.NewClient(&redis.Options{
		Addr: address, PoolSize: connections, MinIdleConns: min(connections, 16), DisableIdentity: true,
		PoolTimeout: 10 * time.Second,
	})
	if err := client.Ping(ctx).Err(); err != nil {
		client.Close()
		return nil, fmt.Errorf("strategy: Redis: %w", err)
	}
	return client, nil
}

// release deletes a key where it still holds the token of its owner.
var release = redis.NewScript(
	`if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0`)

func lockKey(user string) string    { return "lock:" + user }
func handledKey(id string) string   { return "handled:" + id }
func sessionKey(user string) string { return "session:" + user }

// locks takes locks on users' keys.
type locks struct {
	client *redis.Client
	// session says that the user's session is in Redis, and is read with the lock.
	session bool
}

// lock is held until it is released, or lockFor has passed.
type lock struct {
	client      *redis.Client
	user, token string
	// handled says that the message was handled before.
	handled bool
	// session is the user's; empty where there is none yet.
	session string
}

// acquire waits for a user's lock, until ctx ends.
func (s *locks) acquire(ctx context.Context, m Message) (*lock, error) {
	l := &lock{client: s.client, user: m.User, token: rand.Text()}
	for try := 1; ; try++ {
		taken, err := s.try(ctx, m, l)
		if err != nil {
			return nil, fmt.Errorf("strategy: a lock was not taken: %w", err)
		}
		if taken {
			return l, nil
		}
		if !pause(ctx, lockPause*time.Duration(min(try, 5))) {
			return nil, fmt.Errorf("strategy: a lock was not free: %w", ctx.Err())
		}
	}
}

// try is one round trip. The look for the message, and for the session, travels behind the lock:
// what it finds was read under it, where it was taken.
func (s *locks) try(ctx context.Context, m Message, l *lock) (bool, error) {
	pipe := s.client.Pipeline()
	taken := pipe.SetNX(ctx, lockKey(m.User), l.token, lockFor)
	handled := pipe.Exists(ctx, handledKey(m.ID))
	var state *redis.StringCmd
	if s.session {
		state = pipe.Get(ctx, sessionKey(m.User))
	}
	_, _ = pipe.Exec(ctx) // each command has its error
	if err := errors.Join(taken.Err(), handled.Err()); err != nil {
		return false, err
	}
	l.handled = handled.Val() == 1
	if s.session {
		if err := state.Err(); err != nil && !errors.Is(err, redis.Nil) {
			return false, err
		}
		l.session = state.Val()
	}
	return taken.Val(), nil
}

// release gives the lock back, and does what is to be done before that in the same round trip.
func (l *lock) release(ctx context.Context, before func(redis.Pipeliner)) error {
	pipe := l.client.Pipeline()
	if before != nil {
		before(pipe)
	}
	released := release.EvalSha(ctx, pipe, []string{lockKey(l.user)}, l.token)
	_, err := pipe.Exec(ctx)
	if redis.HasErrorPrefix(released.Err(), "NOSCRIPT") { // the first time, or Redis was started anew
		err = release.Eval(ctx, l.client, []string{lockKey(l.user)}, l.token).Err()
	}
	if err != nil {
		return fmt.Errorf("strategy: a lock was not released: %w", err)
	}
	return nil
}
