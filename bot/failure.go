package bot

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/wactor/wactor/conversation"
)

// Why a call's context ended, where it was not the caller.
var (
	errTimeout = errors.New("bot: timeout")
	errClosed  = errors.New("bot: closed")
)

// refused classes a status other than 200 and 204. Retryable are those with which a server says
// that it is not the request's fault: 5xx, 429 (too many), 408 (the request did not arrive in
// time). A redirect is not followed, since it would carry the turn to an address that is not
// configured.
func refused(status int) *conversation.BotError {
	switch {
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return conversation.Temporary("http %d", status)
	case status >= 300 && status < 400:
		return conversation.Permanent("http %d: redirects are not followed", status)
	case status < 300:
		return conversation.Permanent("http %d: an answer has 200 or 204", status)
	}
	return conversation.Permanent("http %d", status)
}

// What an excerpt of a body holds at most.
const (
	maxExcerpt      = 300 // characters
	maxExcerptBytes = 4 * maxExcerpt
)

// withExcerpt adds the beginning of a body to a failure, in one line.
func withExcerpt(failure *conversation.BotError, body []byte) *conversation.BotError {
	text := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(string(body[:min(len(body), maxExcerptBytes)]),
		"?")), " "))
	if len(text) == 0 {
		return failure
	}
	if len(text) > maxExcerpt {
		text = append(text[:maxExcerpt-1], '…')
	}
	with := *failure
	with.Reason += "; the bot said: " + string(text)
	return &with
}

// broken classes a call that has no status or no whole body. All of these are retryable: the bot
// has either not seen the turn, or sees it again under the same Idempotency-Key. The error's own
// text is left out, because it holds the URL.
func (h *HTTP) broken(ctx context.Context, err error, reached bool) error {
	var failed *conversation.BotError
	switch cause := context.Cause(ctx); {
	case cause == nil:
		failed = conversation.Temporary("%s", fault(err))
	case errors.Is(cause, errTimeout):
		failed = conversation.Temporary("timeout after %s", h.config.Timeout)
	case errors.Is(cause, errClosed):
		return conversation.Temporary("closed")
	default:
		return cancelled(ctx)
	}
	failed.NotReached = !reached
	return failed
}

// traceReach returns a request that notices whether there was ever a connection for it: name,
// route, port and TLS were right. Without one, the other side has seen nothing of the request.
func traceReach(request *http.Request) (*http.Request, func() bool) {
	var reached atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { reached.Store(true) }}
	return request.WithContext(httptrace.WithClientTrace(request.Context(), trace)), reached.Load
}

// cancelled reports that the caller gave up. It is no BotError, so that errors.Is finds the cause.
func cancelled(ctx context.Context) error {
	return fmt.Errorf("bot: call ended: %w", context.Cause(ctx))
}

// fault names the cause of a failed call in fixed words.
func fault(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		return "host name not resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.As(err, &certificate):
		return "TLS certificate not trusted"
	case errors.As(err, &alert), errors.As(err, &record):
		return "TLS handshake failed"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	}
	return "connection broken"
}
