package media

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/provider"
)

// Results of a request for a file.
const (
	resultOK         = "ok"
	resultRejected   = "rejected"
	resultGone       = "gone"
	resultFailed     = "failed"
	resultBroken     = "broken"
	resultOverloaded = "overloaded"
)

// Metrics are those of files in both directions.
type Metrics struct {
	bytesIn, bytesOut prometheus.Counter
	requests, uploads *prometheus.CounterVec
}

// NewMetrics registers metrics, or finds those that were; the registerer may be nil.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	m := &Metrics{
		bytesOut: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "wactor_media_sent_bytes_total", Help: "Bytes of files that were uploaded to the provider.",
		}),
		uploads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wactor_media_uploads_total", Help: "Uploads of replies' files, by result: ok, rejected (the " +
				"provider never takes the file), failed (it may when it is tried again).",
		}, []string{"result"}),
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
	for _, result := range []string{resultOK, resultRejected, resultFailed} {
		m.uploads.WithLabelValues(result)
	}
	if registerer != nil {
		m.bytesIn, m.bytesOut = register(registerer, m.bytesIn), register(registerer, m.bytesOut)
		m.requests, m.uploads = register(registerer, m.requests), register(registerer, m.uploads)
	}
	return m
}

// upload counts an upload.
func (m *Metrics) upload(size int64, err error) {
	result := resultOK
	switch {
	case errors.Is(err, provider.ErrFileRejected):
		result = resultRejected
	case err != nil:
		result = resultFailed
	default:
		m.bytesOut.Add(float64(size))
	}
	m.uploads.WithLabelValues(result).Inc()
}

func register[C prometheus.Collector](registerer prometheus.Registerer, c C) C {
	var before prometheus.AlreadyRegisteredError
	if err := registerer.Register(c); errors.As(err, &before) {
		return before.ExistingCollector.(C)
	} else if err != nil {
		panic(err) // a mistake in the names above
	}
	return c
}
