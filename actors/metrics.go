package actors

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// metrics counts what conversations do, without a label that names one.
type metrics struct {
	inDoubt, resent, panics prometheus.Counter
	resolved                *prometheus.CounterVec
	inbox, outbox           prometheus.Gauge
	// Of each channel.
	turns, duplicates, deadLetters, botFailures, sends *prometheus.CounterVec
	botSeconds, endToEnd                               *prometheus.HistogramVec
}

// channelMetrics are the series of one channel with its bot, found once.
type channelMetrics struct {
	turns, duplicates, deadLetters, botFailures prometheus.Counter
	sends                                       []prometheus.Counter // by outcome
	botSeconds, endToEnd                        prometheus.Observer
}

// inDoubtOutcomes are the values of the label of wactor_in_doubt_replies_resolved_total.
var inDoubtOutcomes = []string{conversation.InDoubtTaken, conversation.InDoubtFailed, conversation.InDoubtResent,
	conversation.InDoubtParked}

func newMetrics(registerer prometheus.Registerer, r *Runtime) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histograms := func(name, help string, buckets ...float64) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets},
			[]string{"channel", "bot"})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &metrics{
		inDoubt: counter("wactor_in_doubt_replies_total",
			"Replies of which it was unknown whether the provider took them."),
		resent: counter("wactor_in_doubt_replies_resent_total",
			"Replies in doubt that were sent again since no status came."),
		panics: counter("wactor_panics_total", "Panics of conversations, bots and senders."),
		resolved: counters("wactor_in_doubt_replies_resolved_total", "How in-doubt replies were resolved: a status "+
			"reported that the reply was taken or failed; or none came.", "outcome"),
		inbox:  gauge("wactor_inbox_depth", "Messages that wait for a turn, in active conversations."),
		outbox: gauge("wactor_outbox_depth", "Replies that the provider has not taken yet, in active conversations."),

		turns:      counters("wactor_turns_total", "Turns that bots answered.", "channel", "bot"),
		duplicates: counters("wactor_duplicates_total", "Messages that had been accepted before.", "channel"),
		deadLetters: counters("wactor_dead_letters_total",
			"Messages and replies that could not be processed and were kept.", "channel"),
		botFailures: counters("wactor_bot_failures_total", "Failed bot calls, retries included.", "channel", "bot"),
		sends: counters("wactor_sends_total", "Requests to the provider by outcome.", "channel", "bot",
			"outcome"),
		botSeconds: histograms("wactor_bot_seconds", "Duration of bot calls.",
			.00001, .0001, .001, .005, .01, .05, .1, .5, 1, 5, 15, 30, 60),
		endToEnd: histograms("wactor_end_to_end_seconds",
			"From the receipt of a message to the provider's acceptance of the first reply to it.",
			.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
	}
	for _, outcome := range inDoubtOutcomes {
		m.resolved.WithLabelValues(outcome)
	}
	if registerer != nil {
		registerer.MustRegister(m.inDoubt, m.resent, m.panics, m.resolved, m.inbox, m.outbox, m.turns, m.duplicates,
			m.deadLetters, m.botFailures, m.sends, m.botSeconds, m.endToEnd, ages{r},
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "wactor_active_conversations", Help: "Conversations in memory.",
			}, func() float64 { return float64(r.Active()) }))
	}
	return m
}

// of finds the series of a channel with its bot. They begin at 0: a rate over a series that begins
// with its first failure misses that failure.
func (m *metrics) of(channel, bot string) *channelMetrics {
	c := &channelMetrics{
		turns: m.turns.WithLabelValues(channel, bot), duplicates: m.duplicates.WithLabelValues(channel),
		deadLetters: m.deadLetters.WithLabelValues(channel), botFailures: m.botFailures.WithLabelValues(channel, bot),
		botSeconds: m.botSeconds.WithLabelValues(channel, bot), endToEnd: m.endToEnd.WithLabelValues(channel, bot),
	}
	for _, outcome := range provider.Outcomes {
		c.sends = append(c.sends, m.sends.WithLabelValues(channel, bot, outcome.String()))
	}
	return c
}

func (c *channelMetrics) bot(took time.Duration, err error) {
	c.botSeconds.Observe(took.Seconds())
	if err != nil {
		c.botFailures.Inc()
	}
}

// send counts the outcome of a request. ReceivedMs is when the message was received that the reply
// answers first; 0 for other replies.
func (c *channelMetrics) send(result provider.Result, receivedMs int64, now time.Time) {
	if result.NotTried {
		return
	}
	c.sends[result.Outcome].Inc()
	if result.Outcome == provider.Sent && receivedMs > 0 {
		c.endToEnd.Observe(float64(max(0, now.UnixMilli()-receivedMs)) / 1000)
	}
}

// journal counts what a commit of a channel's conversation has to tell. Duplicates are counted when
// they are answered: they alone make no commit.
func (m *metrics) journal(c *channelMetrics, entries []*wactorv1.JournalEntry) {
	for _, e := range entries {
		if e.Doubt != "" {
			m.resolved.WithLabelValues(e.Doubt).Inc()
		}
		switch e.Kind {
		case wactorv1.JournalKind_JOURNAL_KIND_TURN:
			c.turns.Inc()
		case wactorv1.JournalKind_JOURNAL_KIND_DEAD_LETTER:
			c.deadLetters.Inc()
		case wactorv1.JournalKind_JOURNAL_KIND_IN_DOUBT:
			m.inDoubt.Inc()
		case wactorv1.JournalKind_JOURNAL_KIND_RESENT:
			m.resent.Inc()
		}
	}
}

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
	for name := range c.runtime.channels.names() {
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
