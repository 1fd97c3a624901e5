package node

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/conversation/policy"
)

const day = 24 * time.Hour

func TestRulesOfDefaults(t *testing.T) {
	cfg, b, c := config.Default(), config.DefaultBot(), config.DefaultChannel()
	cfg.Node.Name, b.Flow, c.Bot = "node-1", "flow.yaml", "shop"
	cfg.Bots = map[string]config.Bot{"shop": b}
	want := &conversation.Config{
		Node: "node-1", Inline: true,
		Retry:       policy.Retry{MaxAttempts: 5, Min: time.Second, Max: time.Minute, Unreachable: 15 * time.Minute},
		DedupWindow: 9 * day, StaleAfter: 8 * day,
		InDoubt:   policy.InDoubt{Wait: 15 * time.Second, Max: 10 * time.Minute},
		Limits:    conversation.Limits{Inbox: 1000, Pipeline: 256, Journal: 500},
		Burst:     policy.Burst{Policy: policy.Enqueue, MaxWait: 10 * time.Second, MaxMessages: 20},
		Taps:      policy.Taps{Debounce: 2 * time.Second, Stale: policy.Accept},
		Session:   policy.Session{Idle: day},
		LoopGuard: policy.LoopGuard{Repeats: 20, Window: 5 * time.Minute, Exchanges: 50, Unasked: 100},
		Handoff:   policy.Handoff{Hold: 200, For: day, OnEcho: time.Hour},
		Sending: policy.Sending{PairBurst: 45, PairEvery: 6 * time.Second, AwaitMax: 10 * time.Second,
			Window: day},
	}
	if diff := cmp.Diff(want, rules(cfg, &c)); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestRulesOfPolicies(t *testing.T) {
	cfg, b, c := config.Default(), config.DefaultBot(), config.DefaultChannel()
	b.HTTP = &config.HTTPBot{}
	b.OnFailure.Reply = "Sorry."
	b.Burst = policy.Burst{
		Policy: policy.Interrupt, Quiet: 2 * time.Second, MaxMessages: 7, Flush: []string{"done"}, Notice: "Wait.",
	}
	b.Order = policy.Order{Hold: time.Second, Late: policy.Drop}
	b.Debounce, b.StaleButtons, b.StaleReply = 0, policy.Answer, "Old."
	b.Session = policy.Session{Idle: time.Hour, Turn: true}
	b.LoopGuard = policy.LoopGuard{Exchanges: 50}
	b.Handoff = policy.Handoff{Hold: 5, Held: policy.Forget, For: time.Hour}
	c.Bot, c.InDoubt.Then, c.Pace.Off, c.Await, c.Window = "shop", policy.Park, true, policy.AwaitSent, 0
	cfg.Bots = map[string]config.Bot{"shop": b}
	got := rules(cfg, &c)
	want := &conversation.Config{
		InDoubt:   policy.InDoubt{Wait: 15 * time.Second, Max: 10 * time.Minute, Then: policy.Park},
		OnFailure: policy.OnFailure{Reply: "Sorry."},
		Burst: policy.Burst{
			Policy: policy.Interrupt, Quiet: 2 * time.Second, MaxWait: 20 * time.Second, MaxMessages: 7,
			Flush: []string{"done"}, Notice: "Wait.",
		},
		Order:   policy.Order{Hold: time.Second, Late: policy.Drop},
		Taps:    policy.Taps{Stale: policy.Answer, StaleReply: "Old."},
		Session: policy.Session{Idle: time.Hour, Turn: true},
		Handoff: b.Handoff,
		Sending: policy.Sending{Await: policy.AwaitSent, AwaitMax: 10 * time.Second},
	}
	want.Receives = policy.DefaultReceives // those of a bot over HTTP
	want.Retry, want.DedupWindow, want.StaleAfter = got.Retry, got.DedupWindow, got.StaleAfter
	want.Limits = got.Limits
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}
