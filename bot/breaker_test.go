package bot

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/flow/fit"
)

// patient is an endpoint that counts its calls.
type patient struct {
	failing atomic.Bool
	calls   atomic.Int64
	atOnce  atomic.Int64
	most    atomic.Int64
}

func (p *patient) Turn(context.Context, *conversation.Turn) (*conversation.Answer, error) {
	p.calls.Add(1)
	now := p.atOnce.Add(1)
	defer p.atOnce.Add(-1)
	for most := p.most.Load(); now > most && !p.most.CompareAndSwap(most, now); most = p.most.Load() {
	}
	time.Sleep(50 * time.Millisecond)
	if p.failing.Load() {
		return nil, conversation.Temporary("http 503")
	}
	return &conversation.Answer{}, nil
}

// TestDeadBotIsLeftAlone: ten thousand conversations wait for a bot that is down for ten minutes.
// It is called a few dozen times; when it comes back all are answered, and never by more calls at
// once than have just been answered.
func TestDeadBotIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &patient{}
		p.failing.Store(true)
		b := Guarded(p)
		var conversations sync.WaitGroup
		var answered atomic.Int64
		for i := range 10_000 {
			conversations.Go(func() {
				for {
					_, err := b.Turn(context.Background(), &conversation.Turn{})
					if err == nil {
						answered.Add(1)
						return
					}
					var failed *conversation.BotError
					if !errors.As(err, &failed) || !failed.Retryable {
						t.Errorf("error %v", err)
						return
					}
					time.Sleep(max(failed.RetryAfter, time.Second) + time.Duration(i%1000)*time.Millisecond)
				}
			})
		}
		time.Sleep(10 * time.Minute)
		if n := p.calls.Load(); n > 10_100 {
			t.Errorf("a dead bot was called %d times; the first calls of all are 10,000", n)
		}
		during := p.calls.Load()
		time.Sleep(time.Minute)
		if n := p.calls.Load() - during; n > 3 {
			t.Errorf("%d calls in a minute of a bot that was dead for long", n)
		}
		p.failing.Store(false)
		p.most.Store(0)
		time.Sleep(31 * time.Second)
		if most := p.most.Load(); most > recovered+1 && answered.Load() < recovered {
			t.Errorf("%d calls at once while it came back", most)
		}
		conversations.Wait()
		if answered.Load() != 10_000 {
			t.Errorf("%d of 10,000 answered", answered.Load())
		}
	})
}

// TestCallsThatWaitForADeadBotFail: a thousand calls wait for one of four places when the bot dies.
// Those that wait are not made.
func TestCallsThatWaitForADeadBotFail(t *testing.T) {
	var calls atomic.Int64
	dead := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer dead.Close()
	h, err := NewHTTP(HTTPConfig{URL: dead.URL, MaxConcurrent: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	b := Checked(Guarded(h), fit.ModeCut, nil)
	var conversations sync.WaitGroup
	var notCalled atomic.Int64
	for range 1000 {
		conversations.Go(func() {
			_, err := b.Turn(context.Background(), &conversation.Turn{})
			var failed *conversation.BotError
			if errors.As(err, &failed) && failed.NotCalled {
				notCalled.Add(1)
			}
		})
	}
	conversations.Wait()
	if n := calls.Load(); n > breakAfter+4 || notCalled.Load() != 1000-n {
		t.Errorf("%d calls of a dead bot, %d of 1000 were not made", n, notCalled.Load())
	}
}

func TestBreakerRecoversStepByStep(t *testing.T) {
	g := &guarded{}
	now := time.Unix(0, 0)
	outage := conversation.Temporary("http 503")
	for range breakAfter {
		if g.enter(now) != 0 {
			t.Fatal("closed too early")
		}
		g.leave(now, outage, false)
	}
	if wait := g.enter(now); wait != firstPause {
		t.Fatalf("wait %v after %d failures", wait, breakAfter)
	}
	now = now.Add(firstPause)
	if g.enter(now) != 0 || g.enter(now) == 0 {
		t.Fatal("one call must be let through, and no more")
	}
	g.leave(now, outage, false)
	if wait := g.enter(now); wait != 2*firstPause {
		t.Fatalf("the second pause is %v", wait)
	}
	now = now.Add(2 * firstPause)
	for want := 1; want <= recovered; want++ {
		g.enter(now)
		g.leave(now, nil, false)
	}
	for range 1000 {
		if g.enter(now) != 0 {
			t.Fatal("a bot that recovered is still limited")
		}
	}
}

func TestBreakerCountsOutagesOnly(t *testing.T) {
	g := &guarded{}
	now := time.Unix(0, 0)
	for range 100 {
		g.enter(now)
		g.leave(now, conversation.Permanent("http 400"), false)
		g.enter(now)
		g.leave(now, context.Canceled, true)
	}
	if g.enter(now) != 0 {
		t.Error("a bot that answers, or whose calls were cancelled, was left alone")
	}
}

// TestPanicsLeaveTheBreaker: a call that panicked is over. Else the next outage would close the
// breaker for ever.
func TestPanicsLeaveTheBreaker(t *testing.T) {
	g := Guarded(Func(func(context.Context, *conversation.Turn) (*conversation.Answer,
		error) {
		panic("bot")
	})).(*guarded)
	func() {
		defer func() { _ = recover() }()
		_, _ = g.Turn(context.Background(), &conversation.Turn{})
	}()
	if g.underway != 0 {
		t.Errorf("%d calls are under way", g.underway)
	}
}
