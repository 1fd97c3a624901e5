package actors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counter is the bot of examples/counter: it answers the n-th message with "step <n>: <text>".
type counter struct {
	before func(turn *conversation.Turn) // called first, outside of locks
}

func (c counter) Turn(_ context.Context, turn *conversation.Turn) (*conversation.Answer, error) {
	if c.before != nil {
		c.before(turn)
	}
	var state struct{ N int }
	if turn.State != nil {
		if err := json.Unmarshal(turn.State, &state); err != nil {
			return nil, err
		}
	}
	state.N++
	encoded, err := json.Marshal(state)
	return &conversation.Answer{State: encoded, Replies: []*wactorv1.Reply{
		{Content: &wactorv1.Reply_Text{Text: fmt.Sprintf("step %d: %s", state.N, turn.Messages[0].Text)}},
	}}, err
}

// inlineCounter is the counter inside the process.
type inlineCounter struct{ counter }

func (c inlineCounter) Inline(turn *conversation.Turn) (*conversation.Answer, bool, error) {
	answer, err := c.Turn(context.Background(), turn)
	return answer, true, err
}

// phone takes replies.
type phone struct {
	mu     sync.Mutex
	got    map[string][]string
	before func(ctx context.Context, out *provider.Outgoing) *provider.Result
}

func (p *phone) Send(ctx context.Context, out *provider.Outgoing) provider.Result {
	if p.before != nil {
		if result := p.before(ctx, out); result != nil {
			return *result
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.got == nil {
		p.got = map[string][]string{}
	}
	p.got[out.To.Id] = append(p.got[out.To.Id], out.Reply.GetText())
	return provider.Result{ProviderID: "wamid.x"}
}

func (p *phone) texts(user string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.got[user])
}

// bench is a runtime over a memory store, one channel "shop", all shards led in term 1.
type bench struct {
	*Runtime
	store *memoryStore
	phone *phone
}

func start(t *testing.T, store *memoryStore, bot Bot, change func(*Options)) *bench {
	t.Helper()
	b := &bench{store: store, phone: &phone{}}
	_, inline := bot.(Inliner)
	options := Options{Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Store: store, Shards: 4,
		Channels: map[string]*Channel{"shop": {
			Config: conversation.Config{Node: "n1", Inline: inline}.WithDefaults(), Bot: bot, Sender: b.phone,
		}}}
	if change != nil {
		change(&options)
	}
	b.Runtime = New(options)
	for shard := uint32(1); shard <= 4; shard++ {
		b.LeadershipChanged(shard, 1, true)
	}
	return b
}

// deliver delivers a text and returns where its outcome will be.
func (b *bench) deliver(user, id, text string) *outcome {
	return b.deliverFrom(user, &wactorv1.User{WaId: user}, id, text)
}

// deliverFrom delivers a text of a user with these names.
func (b *bench) deliverFrom(user string, names *wactorv1.User, id, text string) *outcome {
	o := &outcome{done: make(chan struct{})}
	b.Deliver(delivery.Envelope{
		To: conversation.ID{Channel: "shop", User: user}, Origin: "n1", Body: delivery.Inbound{
			Message: &wactorv1.Message{Id: id, Type: "text", Text: text, ReceivedMs: time.Now().UnixMilli()},
			User:    names,
		},
	}, o.set)
	return o
}

type outcome struct {
	verdict conversation.Verdict
	err     error
	calls   atomic.Int32
	done    chan struct{}
}

func (o *outcome) set(got delivery.Outcome) {
	if o.calls.Add(1) > 1 {
		panic("a delivery was answered twice")
	}
	o.verdict, o.err = got.Verdict, got.Err
	close(o.done)
}

func (o *outcome) wait(t *testing.T) *outcome {
	t.Helper()
	<-o.done
	return o
}

func (o *outcome) want(t *testing.T, verdict conversation.Verdict, err error) {
	t.Helper()
	<-o.done
	if o.verdict != verdict || !errors.Is(o.err, err) {
		t.Errorf("delivery: %v, %v, want %v, %v", o.verdict, o.err, verdict, err)
	}
}

func steps(n int, text string) []string {
	var out []string
	for i := 1; i <= n; i++ {
		out = append(out, fmt.Sprintf("step %d: %s", i, text))
	}
	return out
}

func (b *bench) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	b.Stop(ctx)
}

func TestOneUserIsSerial(t *testing.T) {
	for name, bot := range map[string]Bot{"inline": inlineCounter{}, "outside": counter{}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, newMemoryStore(), bot, nil)
				var all sync.WaitGroup
				for i := range 100 {
					all.Go(func() {
						b.deliver("u", fmt.Sprintf("m%d", i), "hi").want(t, conversation.Accepted, nil)
						b.deliver("u", fmt.Sprintf("m%d", i), "hi").want(t, conversation.Duplicate, nil)
					})
				}
				all.Wait()
				synctest.Wait()
				if got := b.phone.texts("u"); !slices.Equal(got, steps(100, "hi")) {
					t.Errorf("replies: %v", got)
				}
				b.stop()
				b.store.close()
			})
		})
	}
}

func TestSlowBotDelaysNoOtherUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, newMemoryStore(), counter{before: func(turn *conversation.Turn) {
			if turn.Conversation.User == "slow" {
				time.Sleep(10 * time.Second)
			}
		}}, nil)
		began := time.Now()
		b.deliver("slow", "m1", "a").want(t, conversation.Accepted, nil)
		b.deliver("slow", "m2", "a").want(t, conversation.Accepted, nil)
		b.deliver("fast", "m1", "b").want(t, conversation.Accepted, nil)
		synctest.Wait()
		if took := time.Since(began); took != 0 || len(b.phone.texts("fast")) != 1 {
			t.Errorf("after %v the other user has %v", took, b.phone.texts("fast"))
		}
		time.Sleep(21 * time.Second)
		if got := b.phone.texts("slow"); !slices.Equal(got, steps(2, "a")) {
			t.Errorf("the slow user has %v", got)
		}
		b.stop()
		b.store.close()
	})
}

func TestBrokenChainIsLoadedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		b := start(t, store, inlineCounter{}, nil)
		b.deliver("u", "m1", "hi").want(t, conversation.Accepted, nil)
		synctest.Wait()
		store.set(func() { store.failing, store.held = errors.New("log is gone"), true })
		second, third := b.deliver("u", "m2", "hi"), b.deliver("u", "m3", "hi")
		synctest.Wait()
		store.set(func() { store.held = false })
		second.want(t, 0, delivery.ErrUnknownFate)
		third.want(t, 0, delivery.ErrUnknownFate)
		store.set(func() { store.failing = nil })
		b.deliver("u", "m3", "hi").want(t, conversation.Accepted, nil)
		b.deliver("u", "m2", "hi").want(t, conversation.Accepted, nil)
		time.Sleep(time.Minute)
		if got := b.phone.texts("u"); !slices.Equal(got, steps(3, "hi")) {
			t.Errorf("replies: %v", got)
		}
		b.stop()
		store.close()
	})
}

func TestPanicsAreIsolated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, newMemoryStore(), counter{before: func(turn *conversation.Turn) {
			if turn.Messages[0].Text == "poison" {
				panic("bot")
			}
		}}, nil)
		b.phone.before = func(_ context.Context, out *provider.Outgoing) *provider.Result {
			if out.Reply.GetText() == "step 1: boom" {
				panic("sender")
			}
			return nil
		}
		b.deliver("u", "m1", "poison").want(t, conversation.Accepted, nil)
		b.deliver("u", "m2", "hi").want(t, conversation.Accepted, nil)
		b.deliver("v", "m1", "boom").want(t, conversation.Accepted, nil)
		synctest.Wait()
		if got := b.phone.texts("u"); !slices.Equal(got, []string{"step 1: hi"}) {
			t.Errorf("replies: %v", got)
		}
		b.stop()
		b.store.close()
	})
}

// faultyLoads makes a machine that can't be trusted: its head is damaged.
type faultyLoads struct {
	*memoryStore
	panics atomic.Bool
}

func (f *faultyLoads) Load(shard uint32, name string, each func(wactorv1.RecordKind, []byte, []byte) error) (uint64,
	error) {
	if f.panics.Load() {
		panic("damaged")
	}
	return f.memoryStore.Load(shard, name, each)
}

func TestPanicInsideTheActorAnswersEveryDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &faultyLoads{memoryStore: newMemoryStore()}
		store.panics.Store(true)
		b := start(t, store.memoryStore, inlineCounter{}, func(o *Options) { o.Store = store })
		first, second := b.deliver("u", "m1", "hi"), b.deliver("u", "m2", "hi")
		first.want(t, 0, delivery.ErrUnknownFate)
		second.want(t, 0, delivery.ErrUnknownFate)
		store.panics.Store(false)
		b.deliver("u", "m1", "hi").want(t, conversation.Accepted, nil)
		b.stop()
		store.close()
	})
}

// impatient decides about replies in doubt though no status comes on the channel at all.
func impatient(o *Options) {
	o.Channels["shop"].Config = conversation.Config{Inline: true,
		InDoubt: policy.InDoubt{Max: 15 * time.Second}}.WithDefaults()
}

func TestUnfinishedWorkGoesOnByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		first := start(t, store, inlineCounter{}, impatient)
		first.phone.before = func(ctx context.Context, _ *provider.Outgoing) *provider.Result {
			<-ctx.Done() // the provider never answers
			return &provider.Result{Outcome: provider.Unknown, Reason: "cancelled"}
		}
		first.deliver("u", "m1", "hi").want(t, conversation.Accepted, nil)
		synctest.Wait()
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		first.Stop(gone)

		second := start(t, store, inlineCounter{}, impatient)
		synctest.Wait()
		if got := second.phone.texts("u"); len(got) != 0 {
			t.Errorf("a reply in doubt was sent at once: %v", got)
		}
		time.Sleep(16 * time.Second)
		if got := second.phone.texts("u"); !slices.Equal(got, steps(1, "hi")) {
			t.Errorf("replies: %v", got)
		}
		second.stop()
		store.close()
	})
}

// TestRecoveryEndsWithItsTerm leads a full node's shard anew while it waits for room to take up
// unfinished work: each term has its own recovery, and the one before must not go on beside it.
func TestRecoveryEndsWithItsTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		first := start(t, store, inlineCounter{}, impatient)
		first.phone.before = func(ctx context.Context, _ *provider.Outgoing) *provider.Result {
			<-ctx.Done()
			return &provider.Result{Outcome: provider.Unknown, Reason: "cancelled"}
		}
		first.deliver("u", "m1", "hi").want(t, conversation.Accepted, nil)
		synctest.Wait()
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		first.Stop(gone)

		full := start(t, store, inlineCounter{}, func(o *Options) { o.MaxActive = -1 })
		table := full.table(conversation.ID{Channel: "shop", User: "u"})
		ended := make(chan struct{})
		go func() {
			table.takeUp(1)
			close(ended)
		}()
		time.Sleep(time.Second)
		full.LeadershipChanged(table.shard, 2, true)
		select {
		case <-ended:
		case <-time.After(time.Second):
			t.Error("the recovery of term 1 goes on in term 2")
		}
		full.stop()
		<-ended
		store.close()
	})
}

func TestGracefulStopLeavesNoInDoubtReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		first := start(t, store, inlineCounter{}, nil)
		first.phone.before = func(context.Context, *provider.Outgoing) *provider.Result {
			time.Sleep(3 * time.Second)
			return nil
		}
		for i := range 3 {
			first.deliver("u", fmt.Sprint(i), "hi").want(t, conversation.Accepted, nil)
		}
		first.stop()
		if got := first.phone.texts("u"); !slices.Equal(got, steps(1, "hi")) {
			t.Errorf("the stopping node sent %v", got)
		}
		first.deliver("u", "9", "hi").want(t, 0, delivery.ErrStopping)

		second := start(t, store, inlineCounter{}, nil)
		synctest.Wait()
		want := []string{"step 2: hi", "step 3: hi"}
		if got := second.phone.texts("u"); !slices.Equal(got, want) {
			t.Errorf("without a wait the next node sent %v, want %v", got, want)
		}
		second.stop()
		store.close()
	})
}

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		b := start(t, store, counter{}, func(o *Options) { o.MaxActive, o.MaxMailbox = 1, 5 })
		b.Deliver(delivery.Envelope{To: conversation.ID{Channel: "other", User: "u"}}, func(o delivery.Outcome) {
			if !errors.Is(o.Err, delivery.ErrUnknownChannel) {
				t.Errorf("unknown channel: %v", o.Err)
			}
		})
		b.deliver("u", "m1", "hi").want(t, conversation.Accepted, nil)
		b.deliver("v", "m1", "hi").want(t, 0, delivery.ErrOverloaded)
		b.stop()
		store.close()
	})
}

func TestLostLeadershipEndsActivations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemoryStore()
		b := start(t, store, inlineCounter{}, nil)
		b.deliver("u", "m1", "hi").want(t, conversation.Accepted, nil)
		synctest.Wait()
		store.set(func() { store.held = true })
		open := b.deliver("u", "m2", "hi")
		synctest.Wait()
		for shard := uint32(1); shard <= 4; shard++ {
			b.LeadershipChanged(shard, 2, false)
		}
		open.want(t, 0, delivery.ErrNotLeader)
		b.deliver("u", "m3", "hi").want(t, 0, delivery.ErrNotLeader)
		synctest.Wait()
		if b.Active() != 0 {
			t.Errorf("%d activations outlive the leadership", b.Active())
		}
		store.set(func() { store.held = false })
		synctest.Wait() // a shard is led again only when all of the old term is applied
		for shard := uint32(1); shard <= 4; shard++ {
			b.LeadershipChanged(shard, 3, true)
		}
		b.deliver("u", "m2", "hi").want(t, conversation.Duplicate, nil) // its commit came through after all
		b.stop()
		store.close()
	})
}
