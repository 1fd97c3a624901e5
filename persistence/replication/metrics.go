package replication

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/persistence/engine"
)

type metrics struct {
	commitSeconds, syncSeconds prometheus.Histogram
	entries                    prometheus.Counter
	proposals, messages        *prometheus.CounterVec
	// disk are the engine's.
	disk []prometheus.Collector
}

func newMetrics(db *engine.Engine) *metrics {
	buckets := []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}
	m := &metrics{
		disk: db.Collectors(),
		commitSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "wactor_commit_seconds", Help: "From a proposal that something waits for to its application.",
			Buckets: buckets,
		}),
		syncSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "wactor_log_sync_seconds", Help: "Duration of synced writes of the log; their count is the number " +
				"of fsyncs asked for.", Buckets: buckets,
		}),
		entries: prometheus.NewCounter(prometheus.CounterOpts{Name: "wactor_log_entries_total",
			Help: "Entries appended to the logs. A replica that is alone writes what they do in their place."}),
		proposals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wactor_proposals_total", Help: "Proposals by result.",
		}, []string{"result"}),
	}
	m.messages = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "wactor_peer_messages_rejected_total", Help: "Messages of other nodes' replicas that no replica sends, " +
			"by what is wrong with them.",
	}, []string{"reason"})
	return m
}

func (m *metrics) collectors() []prometheus.Collector {
	return append(m.disk, m.commitSeconds, m.syncSeconds, m.entries, m.proposals, m.messages)
}

func (m *metrics) register(r prometheus.Registerer) error {
	if r == nil {
		return nil
	}
	for i, c := range m.collectors() {
		if err := r.Register(c); err != nil {
			for _, c := range m.collectors()[:i] {
				r.Unregister(c)
			}
			return fmt.Errorf("persistence: register metrics: %w", err)
		}
	}
	return nil
}

// unregister lets a store that is opened again in this process register its own.
func (m *metrics) unregister(r prometheus.Registerer) {
	if r == nil {
		return
	}
	for _, c := range m.collectors() {
		r.Unregister(c)
	}
}

func (m *metrics) synced(took time.Duration) { m.syncSeconds.Observe(took.Seconds()) }

func (m *metrics) proposal(p *proposal, err error) {
	if err != nil {
		m.failed(err)
		return
	}
	m.proposals.WithLabelValues("applied").Inc()
	if !p.lazy {
		m.commitSeconds.Observe(time.Since(p.began).Seconds())
	}
}

func (m *metrics) failed(err error) {
	var rejected *Rejection
	result := "failed"
	switch {
	case errors.As(err, &rejected):
		result = rejected.Label
	case errors.Is(err, ErrUnknown):
		result = "unknown"
	case errors.Is(err, ErrNotLeader):
		result = "not_leader"
	case errors.Is(err, ErrOverloaded):
		result = "overloaded"
	case errors.Is(err, ErrClosed):
		result = "closed"
	}
	m.proposals.WithLabelValues(result).Inc()
}
