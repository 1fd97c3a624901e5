package node

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/bot"
)

// buildInfo tells which version runs.
func buildInfo(version string) prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "wactor_build_info", Help: "1, with the version of the program and of Go as labels.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	info.Set(1)
	return info
}

var (
	channelHeld = prometheus.NewDesc("wactor_channel_held",
		"1 while the channel can't send (token, permission, payment) and its replies wait.", []string{"channel"}, nil)
	botBreaker = prometheus.NewDesc("wactor_bot_breaker_state",
		"0 where the bot is called, 1 while only some calls try it, 2 while it is left alone.", []string{"bot"}, nil)
	openLetters = prometheus.NewDesc("wactor_open_dead_letters",
		"Dead letters that wait for an operator, in the shards that this node leads.", []string{"channel"}, nil)
)

// channelStates collects how the channels and the bots of a node stand.
type channelStates struct{ n *Node }

// Describe implements prometheus.Collector.
func (c channelStates) Describe(out chan<- *prometheus.Desc) {
	out <- channelHeld
	out <- botBreaker
	out <- openLetters
}

// Collect implements prometheus.Collector.
func (c channelStates) Collect(out chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value int, label string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), label)
	}
	bots, letters := map[string]bot.Bot{}, c.n.letters.open()
	for _, channel := range c.n.serving.now().channels {
		held := 0
		if since, _ := channel.sender.Held(); since != (time.Time{}) {
			held = 1
		}
		gauge(channelHeld, held, channel.config.Name)
		gauge(openLetters, letters[channel.config.Name], channel.config.Name)
		bots[channel.config.Bot] = channel.bot.guarded
	}
	for name, b := range bots {
		gauge(botBreaker, int(bot.StateOf(b)), name)
	}
}
