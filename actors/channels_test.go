package actors

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// says is a bot that answers every turn alike, after a while.
type says struct {
	text  string
	after time.Duration
}

func (s says) Turn(ctx context.Context, _ *conversation.Turn) (*conversation.Answer, error) {
	select {
	case <-time.After(s.after):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return &conversation.Answer{Replies: []*wactorv1.Reply{{Content: &wactorv1.Reply_Text{Text: s.text}}}}, nil
}

// closings are the names of channels that were closed.
type closings struct {
	mu    sync.Mutex
	names []string
}

func (c *closings) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names = append(c.names, name)
}

func (c *closings) are(want ...string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Equal(c.names, want)
}

// channelOf is a channel that notes when it is closed.
func (b *bench) channelOf(bot Bot, closed *closings, name string) *Channel {
	_, inline := bot.(Inliner)
	return &Channel{
		Config: conversation.Config{Node: "n1", Inline: inline}.WithDefaults(), Bot: bot, Sender: b.phone,
		Close: func() { closed.add(name) },
	}
}

// TestReplacedChannelFinishesItsTurns: a turn under way is answered by the bot that began it, what
// waits behind it by the new one, and the old channel is closed once nothing uses it.
func TestReplacedChannelFinishesItsTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var closed closings
		b := start(t, newMemoryStore(), says{"unused", 0}, nil)
		b.SetChannels(map[string]*Channel{"shop": b.channelOf(says{"old", time.Minute}, &closed, "old")})
		b.deliver("1", "m1", "a").want(t, conversation.Accepted, nil)
		time.Sleep(time.Second)
		b.SetChannels(map[string]*Channel{"shop": b.channelOf(says{"new", time.Second}, &closed, "new")})
		b.deliver("1", "m2", "b").want(t, conversation.Accepted, nil)
		b.deliver("2", "m3", "c").want(t, conversation.Accepted, nil)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := b.phone.texts("2"); !slices.Equal(got, []string{"new"}) || !closed.are() {
			t.Errorf("while the old bot thinks: %v, closed %v", got, closed.names)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := b.phone.texts("1"); !slices.Equal(got, []string{"old", "new"}) {
			t.Errorf("replies %v", got)
		}
		if !closed.are("old") {
			t.Errorf("closed %v", closed.names)
		}
		b.stop()
		b.store.close()
	})
}

// TestReplacedRulesHoldFromTheNextTurn: also between a bot inside the process and one outside.
func TestReplacedRulesHoldFromTheNextTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var closed closings
		b := start(t, newMemoryStore(), inlineCounter{}, nil)
		b.deliver("1", "m1", "a").want(t, conversation.Accepted, nil)
		b.SetChannels(map[string]*Channel{"shop": b.channelOf(counter{}, &closed, "outside")})
		b.deliver("1", "m2", "b").want(t, conversation.Accepted, nil)
		time.Sleep(time.Second)
		b.SetChannels(map[string]*Channel{"shop": b.channelOf(inlineCounter{}, &closed, "inside")})
		b.deliver("1", "m3", "c").want(t, conversation.Accepted, nil)
		time.Sleep(time.Second)
		if got := b.phone.texts("1"); !slices.Equal(got, []string{"step 1: a", "step 2: b", "step 3: c"}) {
			t.Errorf("replies %v", got)
		}
		b.stop()
		b.store.close()
	})
}

// TestRemovedChannelKeepsItsWork: its conversations end, its messages are turned away, and what is
// unfinished goes on once a channel of the name is back.
func TestRemovedChannelKeepsItsWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var closed closings
		b := start(t, newMemoryStore(), says{"unused", 0}, nil)
		b.SetChannels(map[string]*Channel{"shop": b.channelOf(says{"never", time.Hour}, &closed, "old")})
		b.deliver("1", "m1", "a").want(t, conversation.Accepted, nil)
		time.Sleep(time.Second)
		b.SetChannels(map[string]*Channel{"other": b.channelOf(says{"other", 0}, &closed, "other")})
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := b.deliver("1", "m2", "b").wait(t); !errors.Is(got.err, delivery.ErrUnknownChannel) {
			t.Errorf("a message to a channel that is gone: %v", got.err)
		}
		if b.Active() != 0 || !closed.are("old") {
			t.Errorf("%d are active, closed %v", b.Active(), closed.names)
		}
		b.SetChannels(map[string]*Channel{"shop": b.channelOf(says{"back", 0}, &closed, "back")})
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := b.phone.texts("1"); !slices.Equal(got, []string{"back"}) {
			t.Errorf("replies %v", got)
		}
		b.stop()
		b.store.close()
	})
}
