package config

import (
	"time"

	"github.com/wactor/wactor/conversation/policy"
)

const day = 24 * time.Hour

// Where nodes listen for others, where they do.
const (
	defaultGossip = ":7946"
	defaultRPC    = ":7947"
)

// Default returns a configuration with all defaults, without channels and bots.
func Default() *Config {
	return &Config{
		Node:   Node{DataDir: "data"},
		Listen: Listen{HTTP: ":8080", Admin: "127.0.0.1:8081"},
		Cluster: Cluster{
			Shards: 32, Gossip: defaultGossip, RPC: defaultRPC, Expect: 1, Replicas: 3, ReplaceAfter: 15 * time.Minute,
			Finalize: "auto",
		},
		DedupWindow: 9 * day,
		StaleAfter:  8 * day,
		Limits: Limits{
			Inbox: 1000, Journal: 500, ActiveConversations: 100_000, InFlightWebhooks: 1024, Body: 3 << 20,
		},
		Media:  Media{URLLife: time.Hour},
		Backup: Backup{Keep: Keep{Last: 24, Daily: 14, Weekly: 8}, Verify: "files", Rate: 20 << 20},
		Log:    Log{Level: "info", Format: "text"},
	}
}

// DefaultChannel returns a channel with all defaults.
func DefaultChannel() Channel {
	return Channel{
		InDoubt: policy.InDoubt{Wait: 15 * time.Second, Max: 10 * time.Minute},
		Pace:    Pace{MessagesPerSecond: 80, PairBurst: 45, PairEvery: 6 * time.Second},
		Window:  day,
	}
}

// DefaultBot returns a bot with all defaults.
func DefaultBot() Bot {
	return Bot{
		Retry:     policy.Retry{MaxAttempts: 5, Min: time.Second, Max: time.Minute, Unreachable: 15 * time.Minute},
		Burst:     policy.Burst{MaxMessages: 20},
		Budget:    100 * time.Millisecond,
		Debounce:  2 * time.Second,
		Session:   policy.Session{Idle: day},
		LoopGuard: policy.LoopGuard{Repeats: 20, Window: 5 * time.Minute, Exchanges: 50, Unasked: 100},
		Handoff:   policy.Handoff{Hold: 200, For: day, OnEcho: time.Hour},
	}
}

// DefaultHTTPBot returns the HTTP part of a bot with all defaults.
func DefaultHTTPBot() HTTPBot {
	return HTTPBot{Timeout: 30 * time.Second, MaxConcurrent: 256}
}

// defaulter is a part that may be in a file more than once, so that Default can't fill it.
type defaulter interface{ setDefaults() }

func (c *Channel) setDefaults() { *c = DefaultChannel() }
func (b *Bot) setDefaults()     { *b = DefaultBot() }
func (h *HTTPBot) setDefaults() { *h = DefaultHTTPBot() }
