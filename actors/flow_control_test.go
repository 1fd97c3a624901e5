package actors

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
)

// TestManyAtOnceOfOneUser: one webhook may bring a thousand messages of one user. All are accepted,
// however slowly commits are applied, and so is the provider's repetition: its duplicates come
// first, and must not take the room of what is still to come.
func TestManyAtOnceOfOneUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		defer store.close()
		b := start(t, store, counter{}, func(o *Options) { o.Channels["shop"].Config.Limits.Inbox = 10_000 })
		defer b.stop()
		store.set(func() { store.held = true })
		deliver := func(want func(i int) conversation.Verdict) {
			t.Helper()
			var outcomes []*outcome
			for i := range 2000 {
				outcomes = append(outcomes, b.deliver("49151", fmt.Sprint("m", i), "hi"))
			}
			synctest.Wait()
			store.set(func() { store.held = false })
			for i, o := range outcomes {
				o.wait(t).want(t, want(i), nil)
			}
		}
		deliver(func(int) conversation.Verdict { return conversation.Accepted })
		synctest.Wait()
		store.set(func() { store.held = true })
		deliver(func(int) conversation.Verdict { return conversation.Duplicate })
	})
}

// TestLeadershipLostWhileDeliveriesWait: what waits for room among the commits is answered, too.
func TestLeadershipLostWhileDeliveriesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		defer store.close()
		b := start(t, store, counter{}, func(o *Options) { o.Channels["shop"].Config.Limits.Pipeline = 5 })
		defer b.stop()
		store.set(func() { store.held = true })
		var outcomes []*outcome
		for i := range 20 {
			outcomes = append(outcomes, b.deliver("49151", fmt.Sprint("m", i), "hi"))
		}
		synctest.Wait()
		for shard := uint32(1); shard <= 4; shard++ {
			b.LeadershipChanged(shard, 2, false)
		}
		for _, o := range outcomes {
			o.wait(t).want(t, 0, delivery.ErrNotLeader)
		}
		store.set(func() { store.held = false })
	})
}
