package node

import (
	"fmt"
	"os"

	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/bot"
	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/flow/fit"
	"github.com/wactor/wactor/gateway"
	"github.com/wactor/wactor/media"
	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/pace"
)

// channel is one configured channel with the parts that serve it.
type channel struct {
	config *config.Channel
	bot    bot.Bot
	// guarded is the bot behind that, whose breaker its other channels share.
	guarded bot.Bot
	rules   *conversation.Config
	codec   *codec
	sender  *pace.Sender
	// files and links are nil where the provider has no files.
	files provider.Files
	links *media.Links
	close func()
}

// buildChannels makes the bots, then the channels that use them. Two channels may share a bot.
func (n *Node) buildChannels(cfg *config.Config) ([]*channel, error) {
	bots := map[string]bot.Bot{}
	closers := map[string]func(){}
	for name, b := range cfg.Bots {
		built, closeBot, err := n.buildBot(&b)
		if err != nil {
			return nil, fmt.Errorf("node: bot %s: %w", name, err)
		}
		bots[name], closers[name] = bot.Guarded(built), closeBot
	}
	var channels []*channel
	for i := range cfg.Channels {
		c := &cfg.Channels[i]
		paced := pace.Options{Logger: n.options.Logger.With("channel", c.Name)}
		if !c.Pace.Off {
			paced.PerSecond = c.Pace.MessagesPerSecond
		}
		kind, known := providerOf(c)
		if !known {
			return channels, fmt.Errorf("node: channel %s: provider %q is unknown", c.Name, c.Provider)
		}
		settings := cfg.Bots[c.Bot]
		closeBot := closers[c.Bot]
		built := &channel{
			config: c, rules: rules(cfg, c), codec: newCodec(c.Settings.Codec()),
		}
		plain := kind.sender(c.Settings, provider.Signs{MarkRead: c.MarkRead, Typing: c.Typing})
		built.guarded = bots[c.Bot]
		built.bot = bot.Checked(built.guarded, fitMode(&settings), built.codec.Check)
		if kind.files != nil {
			plain = withFiles(n, cfg, built, kind.files(c.Settings), plain)
		}
		built.sender = pace.New(plain, paced)
		endRereading := startRereading(built, n.options.Logger)
		built.close = func() {
			endRereading()
			built.sender.Close()
			if built.files != nil {
				built.files.Close()
			}
			closeBot()
		}
		channels = append(channels, built)
	}
	return channels, nil
}

// fitMode is what an HTTP bot wants; what a flow says fits already.
func fitMode(b *config.Bot) fit.Mode {
	if b.HTTP == nil {
		return fit.ModeCut
	}
	return b.HTTP.Fit
}

func (n *Node) buildBot(b *config.Bot) (built bot.Bot, closeBot func(), err error) {
	if b.HTTP != nil {
		headers := map[string]string{}
		for name, value := range b.HTTP.Headers {
			headers[name] = value.Reveal()
		}
		h, err := bot.NewHTTP(bot.HTTPConfig{
			URL: b.HTTP.URL, Timeout: b.HTTP.Timeout, Secret: b.HTTP.Secret.Reveal(), Headers: headers,
			MaxConcurrent: b.HTTP.MaxConcurrent, Excerpts: n.options.Development,
		})
		if err != nil {
			return nil, nil, err
		}
		return h, func() { h.Close() }, nil
	}
	parsed := n.options.Flows[b.Flow]
	if parsed == nil {
		source, err := os.ReadFile(b.Flow)
		if err != nil {
			return nil, nil, err
		}
		if parsed, err = flow.Parse(b.Flow, source); err != nil {
			return nil, nil, err
		}
	}
	f := bot.NewFlow(parsed, b.Budget)
	return f, func() { _ = f.Close() }, nil
}

func (n *Node) actorChannels() map[string]*actors.Channel {
	out := map[string]*actors.Channel{}
	for _, c := range n.channels {
		out[c.config.Name] = &actors.Channel{Config: c.rules, Bot: c.bot, BotName: c.config.Bot,
			Sender: c.sender, Typing: c.config.Typing}
	}
	return out
}

func (n *Node) gatewayChannels() []gateway.Channel {
	var out []gateway.Channel
	for _, c := range n.channels {
		_, number := c.config.Settings.Number()
		out = append(out, gateway.Channel{
			Name: c.config.Name, Provider: c.config.Provider, Number: number,
			IgnoreNumbers: c.config.Settings.IgnoredNumbers(), Codec: c.codec,
		})
	}
	return out
}

func gatewayLimits(cfg *config.Config, memory uint64) gateway.Limits {
	return gateway.Limits{
		MaxInFlight: int64(cfg.Limits.InFlightWebhooks), MaxInFlightBytes: maxInFlight(memory),
		MaxBody: int64(cfg.Limits.Body), MaxMessages: cfg.Limits.Inbox,
		MaxUnsignedBytes: maxUnsigned(cfg.Limits.UnsignedBodies, memory),
	}
}

// receives are the types of messages that start a turn. A flow says by itself what it does with
// each.
func receives(b *config.Bot) policy.Receives {
	if b.Receives == nil && b.HTTP != nil {
		return policy.DefaultReceives
	}
	return b.Receives
}

// rules are how the conversations of a channel behave.
func rules(cfg *config.Config, c *config.Channel) *conversation.Config {
	b := cfg.Bots[c.Bot]
	out := conversation.Config{
		Node: cfg.Node.Name, Inline: b.Flow != "",
		Receives: receives(&b), Retry: b.Retry, OnFailure: b.OnFailure, Burst: b.Burst, Order: b.Order,
		Session:   b.Session,
		Taps:      policy.Taps{Debounce: b.Debounce, Stale: b.StaleButtons, StaleReply: b.StaleReply},
		LoopGuard: b.LoopGuard, Handoff: b.Handoff, InDoubt: c.InDoubt,
		Sending:     policy.Sending{Await: c.Await, Window: c.Window},
		DedupWindow: cfg.DedupWindow, StaleAfter: cfg.StaleAfter,
		Limits: conversation.Limits{Inbox: cfg.Limits.Inbox, Journal: uint64(cfg.Limits.Journal)},
	}
	if c.Pace.Off {
		out.LoopGuard.Exchanges = 0 // a load test's users answer as machines do
	} else {
		out.Sending.PairBurst, out.Sending.PairEvery = c.Pace.PairBurst, c.Pace.PairEvery
	}
	return out.WithDefaults()
}
