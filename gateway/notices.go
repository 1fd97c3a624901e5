package gateway

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/internal/ratelog"
	"github.com/wactor/wactor/provider"
)

// notices tell an operator what the provider and the configuration do to the channels. Each cause
// has at most one line a minute, and all that strangers can send is one cause for each channel.
type notices struct {
	log   *ratelog.Logger
	plain *slog.Logger
}

// cause is what one line a minute is written for.
type cause struct{ kind, detail string }

func newNotices(logger *slog.Logger, now func() time.Time) *notices {
	return &notices{log: ratelog.New(logger, now), plain: logger}
}

// verified reports a callback address that the provider has accepted.
func (n *notices) verified(channel *Channel) {
	n.plain.Info(channel.company() + " verified channel " + channel.Name)
}

// arrived reports the first webhook of a channel, which seen remembers.
func (n *notices) arrived(channel *Channel, seen *atomic.Bool) {
	if !seen.Load() && seen.CompareAndSwap(false, true) {
		n.plain.Info("the first webhook of channel " + channel.Name + " arrived")
	}
}

// tested reports the sample of the provider's console.
func (n *notices) tested(channel *Channel) {
	n.plain.Info(fmt.Sprintf("a test from %s's console arrived for channel %s: the setup works", channel.company(),
		channel.Name))
}

// rejected reports a request that was answered with an error of the setup; channel is nil where
// there is none of that name.
func (n *notices) rejected(channel *Channel, a answer) {
	name := ""
	if channel != nil {
		name = channel.Name
	}
	remedy := remedies[a.verdict]
	n.log.Warn(cause{a.verdict, name}, "a webhook was rejected", func() []any {
		attributes := []any{"status", a.status, "reason", a.text, "remedy", remedy}
		if name != "" {
			attributes = append(attributes, "channel", name)
		}
		return attributes
	})
}

// remedies are for answers by which an operator can see what is set up wrongly.
var remedies = map[string]string{
	answerNoChannel.verdict: "compare the path of the callback URL with the names of the channels: it ends in " +
		"/webhooks/<channel>",
	answerSignature.verdict: "compare app_secret with the provider's; a proxy on the way must not change the body",
	answerToken.verdict:     "compare verify_token with the word in the provider's console",
}

// strange reports a part for a business number that no channel has.
func (n *notices) strange(channel *Channel, number string) {
	n.log.Warn(cause{"number", number}, "a webhook is for a business number that no channel has; it is not kept",
		func() []any {
			return []any{
				"channel", channel.Name, "phone_number_id", number,
				"remedy", "add a channel with this phone_number_id, or list it in ignore_numbers",
			}
		})
}

// odd reports a part of a message that could not be read.
func (n *notices) odd(channel *Channel, part string) {
	n.log.Warn(cause{"odd", part}, "a part of a message is of an unexpected type; the message was delivered without it",
		func() []any { return []any{"channel", channel.Name, "part", part} })
}

// changed reports news of the account.
func (n *notices) changed(channel *Channel, c *provider.Change) {
	level := slog.LevelInfo
	switch c.Level {
	case provider.Quiet:
		return
	case provider.Warning:
		level = slog.LevelWarn
	case provider.Alarm:
		level = slog.LevelError
	}
	n.log.Log(level, cause{c.Field, c.News}, c.News, func() []any {
		attributes := []any{"channel", channel.Name, "field", c.Field}
		if c.Number != "" {
			attributes = append(attributes, "phone_number_id", c.Number)
		}
		if c.Code != 0 {
			attributes = append(attributes, "code", c.Code)
		}
		if c.Remedy != "" {
			attributes = append(attributes, "remedy", c.Remedy)
		}
		return attributes
	})
}

// unread reports pieces that could not be read.
func (n *notices) unread(channel *Channel, reason string) {
	n.log.Warn(cause{"unread", channel.Name}, "a part of a signed webhook can't be read; it is kept as a dead letter",
		func() []any { return []any{"channel", channel.Name, "reason", reason} })
}
