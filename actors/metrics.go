package actors

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// metrics counts what conversations do, without a label that names one.
type metrics struct {
	turns, duplicates, deadLetters, inDoubt, resent, botFailures, panics prometheus.Counter

	botSeconds    prometheus.Histogram
	sends         *prometheus.CounterVec
	resolved      *prometheus.CounterVec
	inbox, outbox prometheus.Gauge
}

// inDoubtOutcomes are the values of the label of wactor_in_doubt_replies_resolved_total.
var inDoubtOutcomes = []string{conversation.InDoubtTaken, conversation.InDoubtFailed, conversation.InDoubtResent,
	conversation.InDoubtParked}

func newMetrics(registerer prometheus.Registerer, r *Runtime) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &metrics{
		turns:      counter("wactor_turns_total", "Turns that bots answered."),
		duplicates: counter("wactor_duplicates_total", "Messages that had been accepted before."),
		deadLetters: counter("wactor_dead_letters_total", "Messages and replies that could not be processed and were "+
			"kept."),
		inDoubt: counter("wactor_in_doubt_replies_total", "Replies of which it was unknown whether the provider "+
			"took them."),
		resent: counter("wactor_in_doubt_replies_resent_total",
			"Replies in doubt that were sent again since no status "+
				"came."),
		botFailures: counter("wactor_bot_failures_total", "Failed bot calls, retries included."),
		panics:      counter("wactor_panics_total", "Panics of conversations, bots and senders."),
		botSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "wactor_bot_seconds", Help: "Duration of bot calls.",
			Buckets: []float64{.00001, .0001, .001, .005, .01, .05, .1, .5, 1, 5, 15, 30, 60},
		}),
		sends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wactor_sends_total", Help: "Requests to the provider by outcome.",
		}, []string{"outcome"}),
		resolved: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wactor_in_doubt_replies_resolved_total", Help: "How in-doubt replies were resolved: a status " +
				"reported that " +
				"the reply was taken or failed; or none came.",
		}, []string{"outcome"}),
		inbox:  gauge("wactor_inbox_depth", "Messages that wait for a turn, in active conversations."),
		outbox: gauge("wactor_outbox_depth", "Replies that the provider has not taken yet, in active conversations."),
	}
	// A rate over a series that begins with its first failure misses that failure.
	for _, outcome := range provider.Outcomes {
		m.sends.WithLabelValues(outcome.String())
	}
	for _, outcome := range inDoubtOutcomes {
		m.resolved.WithLabelValues(outcome)
	}
	if registerer != nil {
		registerer.MustRegister(m.turns, m.duplicates, m.deadLetters, m.inDoubt, m.resent, m.botFailures, m.panics,
			m.botSeconds,
			m.sends, m.resolved, m.inbox, m.outbox, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "wactor_active_conversations", Help: "Conversations in memory.",
			}, func() float64 { return float64(r.Active()) }))
	}
	return m
}

func (m *metrics) bot(took time.Duration, err error) {
	m.botSeconds.Observe(took.Seconds())
	if err != nil {
		m.botFailures.Inc()
	}
}

// journal counts what a commit tells.
func (m *metrics) journal(entries []*wactorv1.JournalEntry) {
	for _, e := range entries {
		if e.Doubt != "" {
			m.resolved.WithLabelValues(e.Doubt).Inc()
		}
		switch e.Kind {
		case wactorv1.JournalKind_JOURNAL_KIND_TURN:
			m.turns.Inc()
		case wactorv1.JournalKind_JOURNAL_KIND_DUPLICATE:
			m.duplicates.Add(float64(max(e.Count, 1)))
		case wactorv1.JournalKind_JOURNAL_KIND_DEAD_LETTER:
			m.deadLetters.Inc()
		case wactorv1.JournalKind_JOURNAL_KIND_IN_DOUBT:
			m.inDoubt.Inc()
		case wactorv1.JournalKind_JOURNAL_KIND_RESENT:
			m.resent.Inc()
		}
	}
}
