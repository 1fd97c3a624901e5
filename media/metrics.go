package media

import "github.com/prometheus/client_golang/prometheus"

// Results of a request for a file.
const (
	resultOK         = "ok"
	resultRejected   = "rejected"
	resultGone       = "gone"
	resultFailed     = "failed"
	resultBroken     = "broken"
	resultOverloaded = "overloaded"
)

type metrics struct {
	bytesIn  prometheus.Counter
	requests *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer) *metrics {
	m := &metrics{
		bytesIn: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "wactor_media_received_bytes_total", Help: "Bytes of files that bots read from the provider.",
		}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wactor_media_requests_total", Help: "Requests for files, by result: ok, rejected (signature, " +
				"time, channel), gone (the provider has it no longer), failed (no answer of the provider), broken " +
				"(size or hash is wrong, or a side left), overloaded.",
		}, []string{"result"}),
	}
	for _, result := range []string{resultOK, resultRejected, resultGone, resultFailed, resultBroken,
		resultOverloaded} {
		m.requests.WithLabelValues(result)
	}
	if registerer != nil {
		registerer.MustRegister(m.bytesIn, m.requests)
	}
	return m
}
