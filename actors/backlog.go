package actors

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/conversation"
)

// backlog is what the metrics know of an activation's conversation. The activation writes it; a
// scrape reads the times, which costs a message two stores at most.
type backlog struct {
	known conversation.Backlog
	// messageMs and replyMs are since when the first message and the first reply wait; 0: none.
	messageMs, replyMs atomic.Int64
}

// show brings the metrics up to date with what a conversation has left to do.
func (a *activation) show(now conversation.Backlog) {
	m, known := a.runtime.metrics, &a.backlog.known
	if now == *known {
		return
	}
	if now.Messages != known.Messages {
		m.inbox.Add(float64(now.Messages - known.Messages))
	}
	if now.Replies != known.Replies {
		m.outbox.Add(float64(now.Replies - known.Replies))
	}
	if now.MessageMs != known.MessageMs {
		a.backlog.messageMs.Store(now.MessageMs)
	}
	if now.ReplyMs != known.ReplyMs {
		a.backlog.replyMs.Store(now.ReplyMs)
	}
	if now.Letters != known.Letters {
		a.runtime.options.LettersChanged(a.table.shard, a.id.Channel, now.Letters-known.Letters)
	}
	*known = now
}

// hide takes the conversation out of the metrics: the activation ends. Its dead letters stay.
func (a *activation) hide() {
	a.show(conversation.Backlog{Letters: a.backlog.known.Letters})
}

var (
	oldestMessage = prometheus.NewDesc("wactor_oldest_message_seconds",
		"Age of the oldest message that waits for a turn, in active conversations.", []string{"channel"}, nil)
	oldestReply = prometheus.NewDesc("wactor_oldest_reply_seconds",
		"Age of the oldest reply that the provider has not taken yet, in active conversations.",
		[]string{"channel"}, nil)
)

// ages collects how long what is oldest waits: a scrape looks at all activations, so that no
// message pays for an order among them.
type ages struct{ runtime *Runtime }

// Describe implements prometheus.Collector.
func (c ages) Describe(out chan<- *prometheus.Desc) {
	out <- oldestMessage
	out <- oldestReply
}

// Collect implements prometheus.Collector.
func (c ages) Collect(out chan<- prometheus.Metric) {
	type oldest struct{ messageMs, replyMs int64 }
	byChannel := map[string]*oldest{}
	for name := range c.runtime.options.Channels {
		byChannel[name] = &oldest{}
	}
	sooner := func(least *int64, ms int64) {
		if ms > 0 && (*least == 0 || ms < *least) {
			*least = ms
		}
	}
	for _, t := range c.runtime.tables {
		t.each(func(a *activation) {
			if found := byChannel[a.id.Channel]; found != nil {
				sooner(&found.messageMs, a.backlog.messageMs.Load())
				sooner(&found.replyMs, a.backlog.replyMs.Load())
			}
		})
	}
	nowMs := c.runtime.scheduler.Now().UnixMilli()
	age := func(ms int64) float64 {
		if ms == 0 {
			return 0
		}
		return float64(max(0, nowMs-ms)) / 1000
	}
	for name, found := range byChannel {
		out <- prometheus.MustNewConstMetric(oldestMessage, prometheus.GaugeValue, age(found.messageMs), name)
		out <- prometheus.MustNewConstMetric(oldestReply, prometheus.GaugeValue, age(found.replyMs), name)
	}
}
