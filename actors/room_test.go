package actors

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

func TestIdleConversationsLeaveMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, newMemoryStore(), inlineCounter{}, func(o *Options) { o.IdleAfter = time.Minute })
		b.deliver("u", "m1", "hi").wait(t)
		time.Sleep(59 * time.Second)
		if b.Active() != 1 {
			t.Errorf("%d active before the time", b.Active())
		}
		time.Sleep(2 * time.Minute)
		if b.Active() != 0 {
			t.Errorf("%d active after the time", b.Active())
		}
		b.deliver("u", "m1", "hi").want(t, conversation.Duplicate, nil)
		b.deliver("u", "m2", "hi").want(t, conversation.Accepted, nil)
		synctest.Wait()
		if got := b.phone.texts("u"); !slices.Equal(got, steps(2, "hi")) {
			t.Errorf("replies: %v", got)
		}
		b.stop()
		b.store.close()
	})
}

// TestIdleConversationsMakeRoom: more users than may be in memory write, one after the other, and
// none is refused for those who have their replies.
func TestIdleConversationsMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 400
		b := start(t, newMemoryStore(), inlineCounter{}, func(o *Options) { o.MaxActive = most })
		for i := range 3000 {
			b.deliver(fmt.Sprint(i), "m1", "hi").want(t, conversation.Accepted, nil)
			time.Sleep(10 * time.Millisecond) // a hundred a second
			synctest.Wait()
			if active := b.Active(); active > most || i > most && active < most/2 {
				t.Fatalf("%d active after %d users", active, i+1)
			}
		}
		b.deliver("0", "m2", "hi").want(t, conversation.Accepted, nil)
		synctest.Wait()
		if got := b.phone.texts("0"); !slices.Equal(got, steps(2, "hi")) {
			t.Errorf("replies: %v", got)
		}
		b.stop()
		b.store.close()
	})
}

// TestBusyConversationsMakeNoRoom: those that wait for their bot, or were just used, stay, and one
// more is refused.
func TestBusyConversationsMakeNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, newMemoryStore(), counter{before: func(*conversation.Turn) { time.Sleep(30 * time.Second) }},
			func(o *Options) { o.MaxActive = 8 })
		for i := range 8 {
			b.deliver(fmt.Sprint(i), "m1", "hi").want(t, conversation.Accepted, nil)
		}
		time.Sleep(10 * time.Second)
		for range 20 {
			b.deliver("one more", "m1", "hi").want(t, 0, delivery.ErrOverloaded)
		}
		time.Sleep(25 * time.Second)
		b.deliver("one more", "m1", "hi").wait(t) // asks for room
		synctest.Wait()
		b.deliver("one more", "m1", "hi").want(t, conversation.Accepted, nil)
		synctest.Wait()
		for i := range 8 {
			if got := b.phone.texts(fmt.Sprint(i)); len(got) != 1 {
				t.Errorf("user %d has %d replies", i, len(got))
			}
		}
		b.stop()
		b.store.close()
	})
}

// TestFullMemoryLinksIdentities: conversations that fill the memory ask others, which are not in
// it, to whom they belong. All are answered.
func TestFullMemoryLinksIdentities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const users = 8
		b := start(t, newMemoryStore(), inlineCounter{}, func(o *Options) { o.MaxActive = users })
		deliver := func(i int) *outcome {
			return b.deliverFrom(fmt.Sprint(i), &wactorv1.User{WaId: fmt.Sprint(i), UserId: fmt.Sprint("US.", i)}, "m1",
				"hi")
		}
		var all []*outcome
		for i := range users {
			all = append(all, deliver(i))
		}
		for i, o := range all {
			for range 60 { // the last ones may find the room taken by those that were asked meanwhile
				if o.wait(t); !errors.Is(o.err, delivery.ErrOverloaded) {
					break
				}
				time.Sleep(time.Second)
				o = deliver(i)
			}
			o.want(t, conversation.Accepted, nil)
		}
		time.Sleep(30 * time.Second)
		for i := range users {
			if got := b.phone.texts(fmt.Sprint(i)); !slices.Equal(got, steps(1, "hi")) {
				t.Errorf("user %d: replies %v", i, got)
			}
		}
		b.stop()
		b.store.close()
	})
}

// TestFullMemoryForwards: aliases fill the memory, and the conversations that they forward to are
// not in it. The provider repeats what is rejected, so that no alias is ever idle.
func TestFullMemoryForwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const users = 2
		b := start(t, newMemoryStore(), inlineCounter{}, func(o *Options) {
			o.MaxActive, o.IdleAfter = users,
				time.Second
		})
		for i := range users {
			b.deliverFrom(fmt.Sprint(i), &wactorv1.User{WaId: fmt.Sprint(i), UserId: fmt.Sprint("US.", i)}, "m1",
				"hi").want(t, conversation.Accepted, nil)
			time.Sleep(time.Minute) // nothing is in memory any more
		}
		var all [users]*outcome
		for range 50 {
			for i := range users {
				name := fmt.Sprint("US.", i)
				if all[i] == nil || all[i].err != nil {
					all[i] = b.deliverFrom(name, &wactorv1.User{UserId: name}, "m2", "hi")
				}
			}
			time.Sleep(100 * time.Millisecond)
			synctest.Wait() // what is answered by now is read above
		}
		for _, o := range all {
			o.want(t, conversation.Accepted, nil)
		}
		b.stop()
		b.store.close()
	})
}

// TestNothingIsLostWhileLeaving delivers without pause to conversations that leave memory as soon
// as they can.
func TestNothingIsLostWhileLeaving(t *testing.T) {
	b := start(t, newMemoryStore(), inlineCounter{}, func(o *Options) { o.IdleAfter = time.Nanosecond })
	var all sync.WaitGroup
	for u := range 4 {
		all.Go(func() {
			for i := range 400 {
				b.deliver(fmt.Sprint(u), fmt.Sprint(i), "hi").want(t, conversation.Accepted, nil)
				if i%3 == 0 {
					time.Sleep(2 * time.Millisecond)
				}
			}
		})
	}
	all.Wait()
	b.stop()
	for u := range 4 {
		b.store.mu.Lock()
		revision := b.store.revisions[fmt.Sprintf("shop/%d", u)]
		b.store.mu.Unlock()
		if revision < 800 {
			t.Errorf("user %d: revision %d after 400 messages and replies", u, revision)
		}
	}
	b.store.close()
}
