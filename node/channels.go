package node

import (
	"fmt"
	"os"
	"reflect"
	"sync/atomic"

	"github.com/wactor/wactor/actors"
	"github.com/wactor/wactor/bot"
	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/flow/fit"
	"github.com/wactor/wactor/gateway"
	"github.com/wactor/wactor/media"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/pace"
)

// served is what a node serves: a configuration, with the parts that are made for it. It does not
// change; a reload makes another one, which shares what stays as it was.
type served struct {
	config   *config.Config
	bots     map[string]*botPart
	channels []*channel
}

// part is what several users share; the last one closes it.
type part struct {
	users atomic.Int32
	close func()
}

func (p *part) hold() { p.users.Add(1) }

func (p *part) release() {
	if p.users.Add(-1) == 0 {
		p.close()
	}
}

// botPart is a bot behind its breaker. Its users are the served and its channels.
type botPart struct {
	part
	settings config.Bot
	flow     *flow.Flow // nil where it is an HTTP bot
	guarded  bot.Bot
}

// senderPart sends for a channel and reads its files, before and after its bot or its rules are
// replaced.
type senderPart struct {
	part
	*pace.Sender
	files   provider.Files // nil where the provider has none
	uploads *media.Uploads // nil likewise
}

// renew has both use other secrets.
func (s *senderPart) renew(settings provider.Settings) {
	if s.Renew(settings) == nil && s.files != nil { // else it has said so in the log
		_ = s.files.Renew(settings) // the same error
	}
}

// channel is one configured channel with the parts that serve it.
type channel struct {
	config *config.Channel
	bot    *botPart
	rules  *conversation.Config
	codec  *codec
	sender *senderPart
	// links are nil where the provider has no files.
	links *media.Links
	actor *actors.Channel
	// endRereading ends what startRereading began.
	endRereading func()
}

// build makes what a configuration asks for, with the parts of before that stay as they are. Flows
// are those that were read already, by their paths.
func build(n *Node, cfg *config.Config, flows map[string]*flow.Flow, before *served) (*served, error) {
	s := &served{config: cfg, bots: map[string]*botPart{}}
	for name, settings := range cfg.Bots {
		b, err := buildBot(n, settings, flows, before.bot(name))
		if err != nil {
			s.release(nil)
			return nil, fmt.Errorf("node: bot %s: %w", name, err)
		}
		s.bots[name] = b
	}
	for i := range cfg.Channels {
		settings := &cfg.Channels[i]
		c, err := buildChannel(n, cfg, settings, s.bots[settings.Bot], before.channel(settings.Name))
		if err != nil {
			s.release(before)
			return nil, err
		}
		s.channels = append(s.channels, c)
	}
	return s, nil
}

// bot returns the bot of a name, channel the channel; nil where there is none.
func (s *served) bot(name string) *botPart {
	if s == nil {
		return nil
	}
	return s.bots[name]
}

func (s *served) channel(name string) *channel {
	if s != nil {
		for _, c := range s.channels {
			if c.config.Name == name {
				return c
			}
		}
	}
	return nil
}

// release gives up what was built, but for the channels that others go on with.
func (s *served) release(others *served) {
	for _, c := range s.channels {
		if others.channel(c.config.Name) != c {
			c.release()
		}
	}
	for _, b := range s.bots {
		b.release()
	}
}

// release gives up the parts of a channel that nothing uses any more.
func (c *channel) release() {
	c.sender.release()
	c.bot.release()
}

func buildChannel(n *Node, cfg *config.Config, c *config.Channel, b *botPart, before *channel) (*channel, error) {
	kind, known := providerOf(c)
	if !known {
		return nil, fmt.Errorf("node: channel %s: provider %q is unknown", c.Name, c.Provider)
	}
	rules := rules(cfg, c)
	if before != nil && before.bot == b && reflect.DeepEqual(before.config, c) &&
		reflect.DeepEqual(before.rules, rules) {
		return before, nil
	}
	built := &channel{config: c, bot: b, rules: rules, codec: newCodec(c.Settings.Codec())}
	if before != nil && sendAlike(before.config, c) {
		built.sender = before.sender
	} else {
		paced := pace.Options{Logger: n.options.Logger.With("channel", c.Name)}
		if !c.Pace.Off {
			paced.PerSecond = c.Pace.MessagesPerSecond
		}
		s := &senderPart{}
		sender := kind.sender(c.Settings, provider.Signs{MarkRead: c.MarkRead, Typing: c.Typing})
		if kind.files != nil {
			s.files = kind.files(c.Settings)
			s.uploads = media.NewUploads(s.files, cfg.Media.Dir, media.NewMetrics(n.registry))
			sender = s.uploads.Sender(sender)
		}
		s.Sender = pace.New(sender, paced)
		s.close = func() {
			s.Close()
			if s.files != nil {
				s.files.Close()
			}
		}
		built.sender = s
	}
	built.sender.hold()
	b.hold()
	answering := bot.Checked(b.guarded, fitMode(&b.settings), built.codec.Check)
	if built.sender.files != nil {
		built.links = newLinks(n, cfg, c)
		answering = bot.Linked(bot.Placed(answering, built.sender.uploads), built.links.URL)
	}
	built.actor = &actors.Channel{
		Config: rules, Bot: answering, BotName: c.Bot, Sender: built.sender.Sender, Typing: c.Typing,
		Close: func() { n.serving.closing.Go(built.release) },
	}
	return built, nil
}

// sendAlike reports whether a channel's sender can go on, with other secrets perhaps.
func sendAlike(a, b *config.Channel) bool {
	return a.Provider == b.Provider && a.Pace == b.Pace && a.MarkRead == b.MarkRead && a.Typing == b.Typing &&
		config.SameButSecrets(a.Settings, b.Settings)
}

// fitMode is what an HTTP bot wants; what a flow says fits already.
func fitMode(b *config.Bot) fit.Mode {
	if b.HTTP == nil {
		return fit.ModeCut
	}
	return b.HTTP.Fit
}

// buildBot makes a bot, or goes on with the one of before where it is the same.
func buildBot(n *Node, settings config.Bot, flows map[string]*flow.Flow, before *botPart) (*botPart, error) {
	b := &botPart{settings: settings}
	if settings.HTTP == nil {
		var err error
		if b.flow, err = flowOf(settings.Flow, flows); err != nil {
			return nil, err
		}
	}
	if before != nil && reflect.DeepEqual(before.settings, settings) &&
		(b.flow == nil || b.flow.Sum() == before.flow.Sum()) {
		before.hold()
		return before, nil
	}
	b.hold()
	if b.flow != nil {
		f := bot.NewFlow(b.flow, settings.Budget)
		b.guarded, b.close = bot.Guarded(f), func() { _ = f.Close() }
		return b, nil
	}
	headers := map[string]string{}
	for name, value := range settings.HTTP.Headers {
		headers[name] = value.Reveal()
	}
	h, err := bot.NewHTTP(bot.HTTPConfig{
		URL: settings.HTTP.URL, Timeout: settings.HTTP.Timeout, Secret: settings.HTTP.Secret.Reveal(),
		Headers: headers, MaxConcurrent: settings.HTTP.MaxConcurrent, Excerpts: n.options.Development,
	})
	if err != nil {
		return nil, err
	}
	b.guarded, b.close = bot.Guarded(h), func() { _ = h.Close() }
	return b, nil
}

// flowOf returns a flow that was read already, or reads it.
func flowOf(path string, flows map[string]*flow.Flow) (*flow.Flow, error) {
	if parsed := flows[path]; parsed != nil {
		return parsed, nil
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return flow.Parse(path, source)
}

// actors are the channels as the conversations know them.
func (s *served) actors() map[string]*actors.Channel {
	out := map[string]*actors.Channel{}
	for _, c := range s.channels {
		out[c.config.Name] = c.actor
	}
	return out
}

// gateway are the channels as the gateway knows them.
func (s *served) gateway() []gateway.Channel {
	var out []gateway.Channel
	for _, c := range s.channels {
		_, number := c.config.Settings.Number()
		out = append(out, gateway.Channel{
			Name: c.config.Name, Provider: c.config.Provider, Number: number,
			IgnoreNumbers: c.config.Settings.IgnoredNumbers(), Codec: c.codec,
		})
	}
	return out
}

// files are the channels as the proxy of files knows them.
func (s *served) files() []media.Channel {
	var out []media.Channel
	for _, c := range s.channels {
		if c.links != nil {
			out = append(out, media.Channel{Name: c.config.Name, Links: c.links, Source: c.sender.files})
		}
	}
	return out
}

// statuses are the channels as the admin API shows them.
func (s *served) statuses() []*wactorv1.ChannelStatus {
	var out []*wactorv1.ChannelStatus
	for _, c := range s.channels {
		out = append(out, &wactorv1.ChannelStatus{Name: c.config.Name, Provider: c.config.Provider, Bot: c.config.Bot})
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
