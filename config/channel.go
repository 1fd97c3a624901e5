package config

import (
	"time"

	"github.com/wactor/wactor/conversation/policy"
)

// Provider is who carries a channel's messages.
type Provider string

// WhatsAppCloud is Meta's WhatsApp Cloud API.
const WhatsAppCloud Provider = "whatsapp_cloud"

// wasender is a provider that is known, but not in this version.
const wasender Provider = "wasender"

// Channel is one business number.
type Channel struct {
	// Name is part of each conversation's identity and of the webhook's path, /webhooks/<name>:
	// [a-z0-9_-], up to 64 characters. Another name is another channel, whose conversations begin
	// anew. Required.
	Name string `yaml:"name"`
	// Provider is whatsapp_cloud. Required.
	Provider Provider `yaml:"provider"`
	// PhoneNumberID is the provider's id of the number: digits, not the phone number itself.
	// Required; one channel each.
	PhoneNumberID string `yaml:"phone_number_id"`
	// IgnoreNumbers are the phone_number_ids of numbers of the same app that another program
	// serves: what arrives for them on this channel's address is acknowledged without a warning.
	// Default none.
	IgnoreNumbers []string `yaml:"ignore_numbers"`
	// VerifyToken is the word of your own that the provider repeats when the webhook is set up.
	// Required.
	VerifyToken Secret `yaml:"verify_token"`
	// AppSecret signs webhooks: a text, or a list while a secret is being replaced (any of them
	// fits). Required.
	AppSecret Secrets `yaml:"app_secret"`
	// AccessToken allows to send. Required.
	AccessToken Secret `yaml:"access_token"`
	// GraphURL is the provider's API with its version. Default https://graph.facebook.com/v26.0.
	GraphURL string `yaml:"graph_url"`
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
