package graph

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/wactor/wactor/internal/http1"
)

// idleFor is how long an unused connection is kept. One that the provider closes just as a request
// is written makes an in-doubt reply, so ours must end first. The provider does not publish its
// idle time; front ends rarely have less than 60 s.
const idleFor = 30 * time.Second

// NewTransport makes the connections for one or several Senders. maxConns and maxIdleConns count
// for each host.
//
// What net/http sends twice without being asked, and why it does not double a message here
// (net/http/transport.go, persistConn.shouldRetryRequest, and request.go, isReplayable):
//
//   - Only a request on a reused connection is ever repeated.
//   - It is, if not one byte of it was written and its body can be made anew (GetBody, which
//     NewRequest sets for a bytes.Reader). That is welcome: the provider cannot have seen it.
//   - After a byte was written, only "replayable" requests are: GET and its like, or any that carry
//     an Idempotency-Key or X-Idempotency-Key header. Our POST must never carry one; the provider
//     would ignore it and net/http would not.
//
// HTTP/2 is off. Its client repeats after a GOAWAY, REFUSED_STREAM and even PROTOCOL_ERROR of the
// peer, the last without proof that the stream was not processed; and one broken connection would
// put every reply on it in doubt at once, while with HTTP/1.1 it is one. At 80 messages/s a few
// dozen connections do the same work.
func NewTransport(maxConns, maxIdleConns int) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	dialer := &net.Dialer{Timeout: http1.DialWithin, KeepAlive: http1.KeepAlive}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		Protocols:           protocols,
		TLSHandshakeTimeout: http1.DialWithin,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12,
			ClientSessionCache: tls.NewLRUClientSessionCache(64)},
		MaxConnsPerHost:        maxConns,
		MaxIdleConnsPerHost:    maxIdleConns,
		IdleConnTimeout:        idleFor,
		DisableCompression:     true, // answers are a few hundred bytes
		MaxResponseHeaderBytes: 64 << 10,
	}
}
