package actors

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// TestOperationOfUnknownFateIsNotRepeated: the leadership goes while the commit of a retry is on
// its way. A second try would find no dead letter and report that, though it was this retry that
// took it.
func TestOperationOfUnknownFateIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		defer store.close()
		b := start(t, store, counter{before: func(turn *conversation.Turn) {
			if turn.Attempt == 1 {
				panic("bot")
			}
		}}, nil)
		defer b.stop()
		b.deliver("u", "m1", "hi").want(t, conversation.Accepted, nil)
		synctest.Wait()
		store.set(func() { store.held = true })
		id := conversation.ID{Channel: "shop", User: "u"}
		answered := make(chan error, 1)
		go func() { answered <- b.Operate(t.Context(), id, "ana", &wactorv1.RetryRequest{Seq: 1}) }()
		synctest.Wait()
		b.LeadershipChanged(b.Shard(id), 2, false)
		if err := <-answered; !errors.Is(err, delivery.ErrUnknownFate) {
			t.Errorf("error %v", err)
		}
		store.set(func() { store.held = false })
	})
}

// TestLinkingGoesOnByItself: a conversation has nothing to do but to find out whose it is when a
// commit fails.
func TestLinkingGoesOnByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		defer store.close()
		var b *bench
		ready := make(chan struct{})
		b = start(t, store, inlineCounter{}, func(o *Options) {
			o.Elsewhere = func(e delivery.Envelope, done delivery.Done) {
				<-ready
				if _, asks := e.Body.(delivery.ResolveRequest); asks && store.failedCommits == 0 {
					store.set(func() { store.failing = errors.New("log is gone") })
				}
				b.Deliver(e, done)
			}
		})
		close(ready)
		defer b.stop()
		stale := &outcome{done: make(chan struct{})}
		b.Deliver(delivery.Envelope{To: conversation.ID{Channel: "shop", User: "4915"}, Body: delivery.Inbound{
			User: &wactorv1.User{WaId: "4915", UserId: "US.a"},
			Message: &wactorv1.Message{Id: "m1", Type: "text", SentMs: time.Now().Add(-30 * 24 * time.Hour).UnixMilli(),
				ReceivedMs: time.Now().UnixMilli()},
		}}, stale.set)
		stale.want(t, conversation.Accepted, nil)
		synctest.Wait()
		if store.failedCommits == 0 || !store.works() {
			t.Fatalf("%d commits failed, there is work: %v", store.failedCommits, store.works())
		}
		store.set(func() { store.failing = nil })
		time.Sleep(10 * time.Second)
		if store.works() {
			t.Error("the owner of the conversation was not found")
		}
	})
}

// works reports whether any conversation has unfinished work.
func (s *memoryStore) works() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.records {
		if _, rest, _ := strings.Cut(key, "\x00"); rest[0] == byte(wactorv1.RecordKind_RECORD_KIND_WORK) {
			return true
		}
	}
	return false
}

// silent is a bot that answers nothing, when it may.
type silent struct {
	calls *atomic.Int32
	may   chan struct{}
}

func (s silent) Turn(context.Context, *conversation.Turn) (*conversation.Answer, error) {
	s.calls.Add(1)
	<-s.may
	return &conversation.Answer{}, nil
}

// TestRefusedTurnIsTakenUpAgain: the commit of a turn without replies is refused. In memory nothing
// waits any more, on the disk its message does.
func TestRefusedTurnIsTakenUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		defer store.close()
		bot := silent{&atomic.Int32{}, make(chan struct{})}
		b := start(t, store, bot, nil)
		defer b.stop()
		b.deliver("u", "m1", "hi").want(t, conversation.Accepted, nil)
		synctest.Wait()
		store.set(func() { store.failing = delivery.ErrOverloaded })
		close(bot.may)
		synctest.Wait()
		store.set(func() { store.failing = nil })
		time.Sleep(5 * time.Second)
		if bot.calls.Load() != 2 || store.works() {
			t.Errorf("%d calls, there is work: %v", bot.calls.Load(), store.works())
		}
	})
}

// unloadable is a store in which a conversation is damaged.
type unloadable struct {
	*memoryStore
	loads atomic.Int32
}

func (u *unloadable) Load(uint32, string, func(wactorv1.RecordKind, []byte, []byte) error) (uint64, error) {
	u.loads.Add(1)
	return 0, errors.New("damaged")
}

// TestDamagedConversationIsLeftAlone: it is not tried every second, with a line in the log each
// time.
func TestDamagedConversationIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &unloadable{memoryStore: newMemoryStore()}
		defer store.close()
		b := start(t, store.memoryStore, inlineCounter{}, func(o *Options) { o.Store = store })
		defer b.stop()
		for range 3 {
			if o := b.deliver("u", "m1", "hi").wait(t); o.err == nil {
				t.Fatal("a message was taken")
			}
		}
		time.Sleep(2*loadAgain + time.Second)
		if loads := store.loads.Load(); loads != 3+2 {
			t.Errorf("loaded %d times: once for each message, and twice again", loads)
		}
	})
}

// TestFailedReplyIsSentAgainAfterARestart: what the provider took and reported as failed much later
// is in the journal, whatever it was.
func TestFailedReplyIsSentAgainAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		defer store.close()
		media := &wactorv1.Reply{Content: &wactorv1.Reply_Media{
			Media: &wactorv1.Media{Type: "image", Link: "https://example.com/a.jpg"}}}
		b := start(t, store, sayer{media}, nil)
		var sent []*provider.Outgoing
		note := func(_ context.Context, out *provider.Outgoing) *provider.Result {
			sent = append(sent, out)
			return nil
		}
		b.phone.before = note
		b.deliver("u", "m1", "hi").want(t, conversation.Accepted, nil)
		time.Sleep(time.Second)
		b.stop()
		b = start(t, store, sayer{media}, nil)
		b.phone.before = note
		defer b.stop()
		failed := delivery.Status{ReplyID: sent[0].ReplyID, Status: "failed", ProviderID: "wamid.x", Code: 131026,
			Reason: "Message undeliverable"}
		id := conversation.ID{Channel: "shop", User: "u"}
		b.Deliver(delivery.Envelope{To: id, Body: failed}, func(delivery.Outcome) {})
		synctest.Wait()
		if err := b.Operate(t.Context(), id, "ana", &wactorv1.RetryRequest{Seq: 1}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if len(sent) != 2 || !proto.Equal(sent[1].Reply, media) || sent[1].ReplyID == sent[0].ReplyID {
			t.Errorf("sent %v", sent)
		}
	})
}

// sayer is a bot that says one thing.
type sayer struct{ reply *wactorv1.Reply }

func (s sayer) Turn(context.Context, *conversation.Turn) (*conversation.Answer, error) {
	return &conversation.Answer{Replies: []*wactorv1.Reply{s.reply}}, nil
}
