package node

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/conversation"
)

const day = 24 * time.Hour

func TestRulesOfDefaults(t *testing.T) {
	cfg, b, c := config.Default(), config.DefaultBot(), config.DefaultChannel()
	cfg.Node.Name, b.Flow, c.Bot = "node-1", "flow.yaml", "shop"
	cfg.Bots = map[string]config.Bot{"shop": b}
	want := &conversation.Config{
		Node: "node-1", Inline: true,
		Retry:       conversation.Retry{MaxAttempts: 5, Min: time.Second, Max: time.Minute},
		DedupWindow: 9 * day, StaleAfter: 8 * day,
		InDoubt:  conversation.InDoubt{Wait: 15 * time.Second, Max: 10 * time.Minute},
		MaxInbox: 1000, MaxPipeline: 256, KeepJournal: 500,
		Burst:     conversation.Burst{Policy: conversation.Enqueue, MaxWait: 10 * time.Second, MaxMessages: 20},
		Taps:      conversation.Taps{Debounce: 2 * time.Second, Stale: conversation.StaleAccept},
		Session:   conversation.Session{Idle: day},
		LoopGuard: conversation.LoopGuard{Repeats: 20, Window: 5 * time.Minute},
		Sending: conversation.Sending{PairBurst: 45, PairEvery: 6 * time.Second, AwaitMax: 10 * time.Second,
			Window: day},
	}
	if diff := cmp.Diff(want, rules(cfg, &c), protocmp.Transform()); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestRulesOfPolicies(t *testing.T) {
	cfg, b, c := config.Default(), config.DefaultBot(), config.DefaultChannel()
	b.HTTP = &config.HTTPBot{}
	b.OnFailure.Reply = "Sorry."
	b.Burst = config.Burst{
		Policy: config.Interrupt, Quiet: 2 * time.Second, MaxMessages: 7, Flush: []string{"done"}, Notice: "Wait.",
	}
	b.Order = config.Order{Hold: time.Second, Late: config.Drop}
	b.Debounce, b.StaleButtons, b.StaleReply = 0, config.Answer, "Old."
	b.Session = config.Session{Idle: time.Hour, Turn: true}
	b.LoopGuard = config.LoopGuard{}
	c.Bot, c.InDoubt.Then, c.Pace.Off, c.Await, c.Window = "shop", config.Park, true, config.AwaitSent, 0
	cfg.Bots = map[string]config.Bot{"shop": b}
	got := rules(cfg, &c)
	want := &conversation.Config{
		InDoubt:   conversation.InDoubt{Wait: 15 * time.Second, Max: 10 * time.Minute, Park: true},
		OnFailure: textReply("Sorry."),
		Burst: conversation.Burst{
			Policy: conversation.Interrupt, Quiet: 2 * time.Second, MaxWait: 20 * time.Second, MaxMessages: 7,
			Flush: []string{"done"}, Notice: textReply("Wait."),
		},
		Order:   conversation.Order{Hold: time.Second, DropLate: true},
		Taps:    conversation.Taps{Stale: conversation.StaleAnswer, StaleReply: textReply("Old.")},
		Session: conversation.Session{Idle: time.Hour, Turn: true},
		Sending: conversation.Sending{Await: "sent", AwaitMax: 10 * time.Second},
	}
	want.Retry, want.DedupWindow, want.StaleAfter = got.Retry, got.DedupWindow, got.StaleAfter
	want.MaxInbox, want.MaxPipeline, want.KeepJournal = got.MaxInbox, got.MaxPipeline, got.KeepJournal
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

// TestRulesKnowEachWord holds the words of config against the policies they stand for: one that is
// missing would be the default.
func TestRulesKnowEachWord(t *testing.T) {
	for word, want := range map[string]conversation.BurstPolicy{
		"enqueue": conversation.Enqueue, "merge": conversation.Merge, "interrupt": conversation.Interrupt,
		"reject": conversation.Reject,
	} {
		if got := burst(&config.Burst{Policy: word}).Policy; got != want {
			t.Errorf("burst.policy %s is %d, want %d", word, got, want)
		}
	}
	for word, want := range map[string]conversation.StaleButtons{
		"accept": conversation.StaleAccept, "ignore": conversation.StaleIgnore, "answer": conversation.StaleAnswer,
	} {
		if got := taps(&config.Bot{StaleButtons: word}).Stale; got != want {
			t.Errorf("stale_buttons %s is %d, want %d", word, got, want)
		}
	}
	for word, want := range map[string]string{"none": "", "sent": "sent", "delivered": "delivered"} {
		if got := sending(&config.Channel{Await: word}).Await; got != want {
			t.Errorf("await %s is %q, want %q", word, got, want)
		}
	}
}
