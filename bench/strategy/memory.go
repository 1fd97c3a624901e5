package strategy

import (
	"context"
	"hash/maphash"
	"sync"
)

// memory keeps everything in one process and nothing on disk: the ceiling of the machine, not a way
// to run a bot. Whatever was in it is gone when the process ends.
type memory struct {
	reply  Reply
	seed   maphash.Seed
	shards [64]memoryShard
}

type memoryShard struct {
	mu    sync.Mutex
	users map[string]*memoryUser
}

// memoryUser is locked while one of the user's messages is handled and answered.
type memoryUser struct {
	mu      sync.Mutex
	session session
	handled map[string]struct{}
}

func newMemory(reply Reply) *memory {
	m := &memory{reply: reply, seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i].users = map[string]*memoryUser{}
	}
	return m
}

func (s *memory) Handle(ctx context.Context, m Message) error {
	user := s.user(m.User)
	user.mu.Lock()
	defer user.mu.Unlock()
	if _, seen := user.handled[m.ID]; seen {
		return nil
	}
	user.handled[m.ID] = struct{}{}
	return s.reply(ctx, m, user.session.answer(m.Text))
}

func (s *memory) user(name string) *memoryUser {
	shard := &s.shards[maphash.String(s.seed, name)%uint64(len(s.shards))]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	user := shard.users[name]
	if user == nil {
		user = &memoryUser{handled: map[string]struct{}{}}
		shard.users[name] = user
	}
	return user
}

func (s *memory) Close() {}
