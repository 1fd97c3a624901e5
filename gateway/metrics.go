package gateway

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	webhooks, messages, statuses, others *prometheus.CounterVec
	unread, odd, excess, strangers       prometheus.Counter
	seconds                              prometheus.Histogram
}

func newMetrics(registerer prometheus.Registerer) *metrics {
	vec := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		webhooks: vec("wactor_webhooks_total", "Webhooks by the answer they got.", "verdict"),
		messages: vec("wactor_deliveries_total", "Messages and statuses that reached their conversation, by verdict.",
			"verdict"),
		statuses: vec("wactor_statuses_total", "Delivery statuses from the provider.", "status"),
		others: vec("wactor_other_changes_total", "Changes that are acknowledged and hold nothing to answer, by the "+
			"provider's word for them.", "field"),
		unread: counter("wactor_unread_total", "Signed pieces that could not be read and were kept as dead letters."),
		odd:    counter("wactor_odd_parts_total", "Messages that were delivered without a part of an unexpected type."),
		excess: counter("wactor_excess_pieces_total",
			"Pieces past the bound of one webhook, kept together in one dead "+
				"letter."),
		strangers: counter("wactor_unknown_numbers_total", "Pieces for business numbers that no channel has; they are "+
			"not kept."),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "wactor_accept_seconds", Help: "From the first byte of a webhook's header to its answer.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .025, .05, .1, .25, .5, 1, 5, 10},
		}),
	}
	for _, a := range answers {
		// 0 from the start: a rate over a series that begins with its first event misses it
		m.webhooks.WithLabelValues(a.verdict)
	}
	if registerer != nil {
		registerer.MustRegister(m.webhooks, m.messages, m.statuses, m.others, m.unread, m.odd, m.excess, m.strangers,
			m.seconds)
	}
	return m
}

func (m *metrics) webhook(verdict string, took time.Duration) {
	m.webhooks.WithLabelValues(verdict).Inc()
	m.seconds.Observe(took.Seconds())
}

// statusLabel bounds the values of a label that a provider fills.
func statusLabel(status string) string {
	switch status {
	case "sent", "delivered", "read", "played", "failed", "deleted":
		return status
	}
	return "other"
}
