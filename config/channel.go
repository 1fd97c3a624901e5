package config

import (
	"time"

	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/internal/nearest"
	"github.com/wactor/wactor/provider"
)

// Channel is one business number.
type Channel struct {
	// Name is part of each conversation's identity and of the webhook's path, /webhooks/<name>:
	// [a-z0-9_-], up to 64 characters. Another name is another channel, whose conversations begin
	// anew. Required.
	Name string `yaml:"name"`
	// Provider is the word of one of the Kinds: who carries the channel's messages. Required.
	Provider string `yaml:"provider"`
	// Settings are the keys that belong to the provider; they stand beside the others in the file.
	Settings provider.Settings `yaml:"-"`
	// Bot names the bot that answers. Required.
	Bot     string         `yaml:"bot"`
	InDoubt policy.InDoubt `yaml:"in_doubt"`
	Pace    Pace           `yaml:"pace"`
	// Await makes the next reply to a user wait for a status of the one before: none, sent or
	// delivered; at most 10s. Default none.
	Await policy.Await `yaml:"await"`
	// Window is the customer service window: so long after the user's last message replies other
	// than templates are taken. Later ones become dead letters unsent. Default 24h; 0 (not
	// watched), or 1m to 7d.
	Window time.Duration `yaml:"window"`
	// MarkRead shows users that their message was read, when the first reply to it is sent. Default
	// false.
	MarkRead bool `yaml:"mark_read"`
	// Typing shows users that the bot is writing; the provider marks the message as read with it.
	// Default false.
	Typing bool `yaml:"typing"`
}

// Pace keeps below the provider's rates, so that it need not complain. `pace: off` sends as fast as
// it can.
type Pace struct {
	// Off sends without a pace, whatever else is said here.
	Off bool `yaml:"-"`
	// MessagesPerSecond is the channel's throughput. Default 80; 1 to 1000.
	MessagesPerSecond int `yaml:"messages_per_second"`
	// PairBurst is how many replies one user may get at once. Default 45; 1 to 1000.
	PairBurst int `yaml:"pair_burst"`
	// PairEvery is the time between two replies to one user from then on. Default 6s; 10ms to 1m.
	PairEvery time.Duration `yaml:"pair_every"`
}

// Kind is a provider that a channel may name.
type Kind struct {
	// Name is its word in the file.
	Name string
	// Settings returns its keys of a channel with their defaults.
	Settings func() provider.Settings
}

// Kinds are all providers.
type Kinds []Kind

func (k Kinds) names() []string {
	names := make([]string, len(k))
	for i := range k {
		names[i] = k[i].Name
	}
	return names
}

// settings returns those of the provider of this name, or else of the one that was probably meant:
// the mistakes in its keys are then named as well. Nil where there are no providers.
func (k Kinds) settings(name string) provider.Settings {
	for _, kind := range k {
		if kind.Name == name {
			return kind.Settings()
		}
	}
	if meant := nearest.Word(name, k.names()); meant != "" {
		return k.settings(meant)
	}
	if len(k) == 0 {
		return nil
	}
	return k[0].Settings()
}
