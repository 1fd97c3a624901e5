package actors

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// script is a bot that is a function.
type script func(ctx context.Context, turn *conversation.Turn) (*conversation.Answer, error)

func (s script) Turn(ctx context.Context, turn *conversation.Turn) (*conversation.Answer, error) {
	return s(ctx, turn)
}

func say(format string, args ...any) *conversation.Answer {
	return &conversation.Answer{Replies: []*wactorv1.Reply{{Content: &wactorv1.Reply_Text{Text: fmt.Sprintf(format,
		args...)}}}}
}

// TestTimersRingWithinASecond: also where the conversation left memory long ago, and after a
// restart.
func TestTimersRingWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		defer store.close()
		var rang []time.Time
		bot := script(func(_ context.Context, turn *conversation.Turn) (*conversation.Answer, error) {
			if turn.Timer != nil {
				rang = append(rang, time.Now())
				return say("timer %s", turn.Timer.Name), nil
			}
			answer := say("ok")
			answer.Timers = []conversation.SetTimer{{Name: "nudge", After: time.Hour}}
			return answer, nil
		})
		for round := range 2 {
			b := start(t, store, bot, nil)
			b.deliver("1", fmt.Sprint("m", round), "hi").want(t, conversation.Accepted, nil)
			begin := time.Now()
			time.Sleep(30 * time.Minute)
			if b.Active() != 0 {
				t.Fatal("the conversation is still in memory")
			}
			if round == 1 {
				b.stop()
				b = start(t, store, bot, nil)
			}
			time.Sleep(31 * time.Minute)
			synctest.Wait()
			if len(rang) != round+1 {
				t.Fatalf("the timer rang %d times, want %d", len(rang), round+1)
			}
			if late := rang[round].Sub(begin) - time.Hour; late < 0 || late > time.Second {
				t.Errorf("the timer rang %v late", late)
			}
			b.stop()
		}
	})
}

// TestTimersBehindStuckOnesRing: more timers are due than one look activates, and their bot does
// not answer. One that is due behind them rings in time.
func TestTimersBehindStuckOnesRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		defer store.close()
		late := time.Duration(-1)
		var due time.Time
		bot := script(func(ctx context.Context, turn *conversation.Turn) (*conversation.Answer, error) {
			switch {
			case turn.Timer == nil:
				answer := say("ok")
				after := time.Hour
				if turn.Conversation.User == "healthy" {
					after += time.Second
					due = time.Now().Add(after)
				}
				answer.Timers = []conversation.SetTimer{{Name: "nudge", After: after}}
				return answer, nil
			case turn.Conversation.User == "healthy":
				late = time.Since(due)
				return say("timer"), nil
			}
			<-ctx.Done()
			return nil, ctx.Err()
		})
		b := start(t, store, bot, func(o *Options) { o.timersAtOnce = 3 })
		for i := range 60 { // 15 in each of 4 shards
			b.deliver(fmt.Sprint("stuck", i), "m1", "hi").want(t, conversation.Accepted, nil)
		}
		b.deliver("healthy", "m1", "hi").want(t, conversation.Accepted, nil)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if late < 0 || late > time.Second {
			t.Errorf("the timer behind the stuck ones rang %v late", late)
		}
		b.stop()
	})
}

// TestInterruptedCallsNeverOverlap: a new message cancels the running call, and the next one begins
// when that has returned.
func TestInterruptedCallsNeverOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		defer store.close()
		running, cancelled := 0, 0
		bot := script(func(ctx context.Context, turn *conversation.Turn) (*conversation.Answer, error) {
			if running++; running > 1 {
				t.Error("two calls overlap")
			}
			defer func() { running-- }()
			select {
			case <-time.After(10 * time.Second):
				return say("%d messages", len(turn.Messages)), nil
			case <-ctx.Done():
				cancelled++
				time.Sleep(time.Second) // a bot that is slow to notice
				return nil, ctx.Err()
			}
		})
		b := start(t, store, bot, func(o *Options) {
			o.Channels["shop"].Config = conversation.Config{Burst: policy.Burst{Policy: policy.Interrupt,
				MaxWait: time.Minute}}.WithDefaults()
		})
		for i := range 3 {
			b.deliver("1", fmt.Sprint("m", i), "hi").want(t, conversation.Accepted, nil)
			time.Sleep(3 * time.Second)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := b.phone.texts("1"); !slices.Equal(got, []string{"3 messages"}) || cancelled != 2 {
			t.Errorf("replies %q, %d calls cancelled", got, cancelled)
		}
		b.stop()
	})
}

// TestStatusesOfTheChannelResolveInDoubtReplies: without any status the wait for one goes
// on; one of another conversation ends it, and so does one of another program.
func TestStatusesOfTheChannelResolveInDoubtReplies(t *testing.T) {
	resolveInDoubt(t, func(b *bench) {
		b.Deliver(delivery.Envelope{
			To: conversation.ID{Channel: "shop", User: "2"}, Origin: "n1",
			Body: delivery.Status{ReplyID: "w1.0.1.2", Status: "sent", ProviderID: "wamid.y"},
		}, func(delivery.Outcome) {})
	})
	resolveInDoubt(t, func(b *bench) { b.NoteStatus("shop") })
}

func resolveInDoubt(t *testing.T, statusCame func(*bench)) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		defer store.close()
		b := start(t, store, counter{}, nil)
		tries := 0
		b.phone.before = func(_ context.Context, out *provider.Outgoing) *provider.Result {
			if out.To.Id != "1" {
				return nil
			}
			if tries++; tries > 1 {
				return nil
			}
			return &provider.Result{Outcome: provider.Unknown, Reason: "timeout"}
		}
		b.deliver("1", "m1", "hi").want(t, conversation.Accepted, nil)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if tries != 1 {
			t.Fatalf("%d tries while no status comes at all", tries)
		}
		statusCame(b)
		time.Sleep(time.Minute)
		synctest.Wait()
		if tries != 2 {
			t.Errorf("%d tries after statuses came again", tries)
		}
		b.stop()
	})
}

// TestOneUserUnderTwoNames: messages under a phone, under a BSUID, and under both, all at once. In
// the end they are one conversation, and each was answered in one turn.
func TestOneUserUnderTwoNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		defer store.close()
		b := start(t, store, inlineCounter{}, nil)
		send := func(id string, user *wactorv1.User) *outcome {
			user.Id = user.WaId
			if user.Id == "" {
				user.Id = user.UserId
			}
			return b.deliverFrom(user.Id, user, id, id)
		}
		send("m1", &wactorv1.User{UserId: "US.a"}).want(t, conversation.Accepted, nil)
		time.Sleep(time.Second)
		both := send("m2", &wactorv1.User{WaId: "4915", UserId: "US.a"})
		phone := send("m3", &wactorv1.User{WaId: "4915"})
		both.want(t, conversation.Accepted, nil)
		phone.want(t, conversation.Accepted, nil)
		time.Sleep(10 * time.Second)
		send("m4", &wactorv1.User{WaId: "4915"}).want(t, conversation.Accepted, nil)
		send("m3", &wactorv1.User{WaId: "4915"}).want(t, conversation.Duplicate, nil)
		time.Sleep(10 * time.Second)
		want := []string{"step 1: m1", "step 2: m2", "step 3: m3", "step 4: m4"}
		if got := b.phone.texts("US.a"); !slices.Equal(got, want) || len(b.phone.texts("4915")) != 0 {
			t.Errorf("replies of the older conversation %q, of the younger %q", got, b.phone.texts("4915"))
		}
		b.stop()
	})
}
