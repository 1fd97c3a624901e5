package node

import (
	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// rules are those of package conversation for one channel. Config has checked them: a word that is
// not known here can't come.
func rules(cfg *config.Config, c *config.Channel) *conversation.Config {
	b := cfg.Bots[c.Bot]
	out := conversation.Config{
		Node:        cfg.Node.Name,
		Inline:      b.Flow != "",
		Retry:       conversation.Retry{MaxAttempts: b.Retry.MaxAttempts, Min: b.Retry.Min, Max: b.Retry.Max},
		OnFailure:   textReply(b.OnFailure.Reply),
		DedupWindow: cfg.DedupWindow,
		StaleAfter:  cfg.StaleAfter,
		InDoubt: conversation.InDoubt{Wait: c.InDoubt.Wait, Max: c.InDoubt.Max,
			Park: c.InDoubt.Then == config.Park},
		MaxInbox:    cfg.Limits.Inbox,
		Burst:       burst(&b.Burst),
		Order:       conversation.Order{Hold: b.Order.Hold, DropLate: b.Order.Late == config.Drop},
		Taps:        taps(&b),
		Session:     conversation.Session{Idle: b.Session.Idle, Turn: b.Session.Turn},
		LoopGuard:   conversation.LoopGuard{Repeats: b.LoopGuard.Repeats, Window: b.LoopGuard.Window},
		Sending:     sending(c),
		KeepJournal: uint64(cfg.Limits.Journal),
	}
	return out.WithDefaults()
}

func burst(b *config.Burst) conversation.Burst {
	policy := map[string]conversation.BurstPolicy{
		config.Enqueue: conversation.Enqueue, config.Merge: conversation.Merge,
		config.Interrupt: conversation.Interrupt, config.Reject: conversation.Reject,
	}[b.Policy]
	return conversation.Burst{
		Policy: policy, Quiet: b.Quiet, MaxWait: b.MaxWait, MaxMessages: b.MaxMessages, Flush: b.Flush,
		Notice: textReply(b.Notice),
	}
}

func taps(b *config.Bot) conversation.Taps {
	stale := map[string]conversation.StaleButtons{
		config.Accept: conversation.StaleAccept, config.Ignore: conversation.StaleIgnore,
		config.Answer: conversation.StaleAnswer,
	}[b.StaleButtons]
	return conversation.Taps{Debounce: b.Debounce, Stale: stale, StaleReply: textReply(b.StaleReply)}
}

func sending(c *config.Channel) conversation.Sending {
	out := conversation.Sending{Window: c.Window}
	if !c.Pace.Off {
		out.PairBurst, out.PairEvery = c.Pace.PairBurst, c.Pace.PairEvery
	}
	if c.Await != config.AwaitNone {
		out.Await = c.Await
	}
	return out
}

// textReply is a reply of a configured text; none where it is empty.
func textReply(text string) *wactorv1.Reply {
	if text == "" {
		return nil
	}
	return &wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: text}}
}
