package graph

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wactor/wactor/internal/http1"
)

// maxAnswer bounds what is read of an answer; real ones have a few hundred bytes.
const maxAnswer = http1.MaxAnswer

// answer is what the provider said to one POST.
type answer struct {
	status int
	// body is what was read of it: cut off where the connection broke or maxAnswer was reached.
	body       []byte
	retryAfter time.Duration
}

func (a answer) ok() bool { return a.status >= 200 && a.status <= 299 }

// brokenError is a POST without an answer.
type brokenError struct {
	// connected says that the request was given a connection, so that it may have arrived.
	connected bool
	reason    string
}

func (e *brokenError) Error() string { return e.reason }

// post makes one request. The error is always a *brokenError.
//
// "Connected" is the moment when net/http gives the request a connection, not the first byte
// written: a cancelled request returns while the connection's writer may still be at work, so a
// flag set by the writer could be read too early. What lies between is a moment, and calling it
// Unknown is never wrong.
//
// It uses the transport itself, not an http.Client: a client would follow redirects, carrying a
// message to another place.
func (s *Sender) post(ctx context.Context, body []byte) (answer, error) {
	if s.wire != nil {
		return s.wire.post(ctx, body)
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{
		// Each try of the transport asks anew; a second one is only made where nothing of the first
		// was written.
		GetConn: func(string) { connected.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}
	request, err := s.request(httptrace.WithClientTrace(ctx, trace), body)
	if err != nil {
		return answer{}, &brokenError{reason: "request cannot be made"}
	}
	response, err := s.transport.RoundTrip(request)
	if err != nil {
		return answer{}, &brokenError{connected: connected.Load(), reason: cause(err)}
	}
	defer response.Body.Close()
	// An error here only cuts the body off: the status line has already said what happened.
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return answer{status: response.StatusCode, body: text, retryAfter: retryAfter(response.Header)}, nil
}

func (s *Sender) request(ctx context.Context, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+*s.token.Load())
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", s.config.UserAgent)
	return request, nil
}

// cause names the class of an error of the transport. Its own text can hold addresses.
func cause(err error) string {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var timeout net.Error
	switch {
	case errors.As(err, &name):
		return "host name not found"
	case errors.As(err, &certificate), errors.As(err, &authority):
		return "certificate not trusted"
	case errors.As(err, &record), errors.As(err, &alert):
		return "TLS handshake failed"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	}
	return "connection broken"
}

// maxRetryAfter bounds how long a header can make a reply wait.
const maxRetryAfter = time.Hour

// retryAfter reads the header in seconds; the provider documents none, but what stands before it
// may send one. Dates, the other form, are ignored: they would need the clocks to agree.
func retryAfter(header http.Header) time.Duration {
	digits := header.Get("Retry-After")
	seconds, err := strconv.ParseUint(digits, 10, 31)
	switch {
	case errors.Is(err, strconv.ErrRange): // a number, and larger than any wait
		return maxRetryAfter
	case err != nil:
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxRetryAfter)
}
