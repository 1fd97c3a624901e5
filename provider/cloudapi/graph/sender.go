package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/cloudapi"
)

// ErrClosed reports a Sender that was closed.
var ErrClosed = errors.New("graph: sender is closed")

// Sender posts the replies of one business number. It may be used by any number of goroutines.
type Sender struct {
	config Config
	url    *url.URL
	// flaw says why this configuration cannot send; then every reply is held until it is corrected.
	flaw  string
	token atomic.Pointer[string]
	// wire carries the requests; where it is nil the transport does.
	wire      *wire
	transport http.RoundTripper
	marks     *readMarks
	close     sync.Once
	closed    chan struct{}
}

// New makes a Sender. A configuration that cannot send is no error here: every Send says Held with
// the reason, so that no reply is lost while it is corrected.
func New(config Config) *Sender {
	s := &Sender{config: config.withDefaults(), closed: make(chan struct{})}
	s.url, s.flaw = s.config.endpoint()
	s.token.Store(&s.config.AccessToken)
	s.transport = s.config.Transport
	if s.transport == nil && s.flaw == "" {
		s.wire = newWire(s.url, s.config)
	}
	if s.transport == nil && s.wire == nil {
		s.transport = NewTransport(s.config.MaxConns, s.config.MaxIdleConns)
	}
	s.marks = newReadMarks(func(ctx context.Context, messageID string) {
		// Best effort: the user's blue ticks are not worth a retry, and the next mark covers all
		// earlier messages.
		_ = s.mark(ctx, messageID, false)
	})
	return s
}

// ForChannel makes the Sender of a channel; the settings are cloudapi.Settings.
func ForChannel(settings provider.Settings, signs provider.Signs) provider.Sender {
	c := settings.(*cloudapi.Settings)
	return New(Config{
		BaseURL: strings.TrimRight(c.GraphURL, "/"), PhoneNumberID: c.PhoneNumberID,
		AccessToken: c.AccessToken.Reveal(), MarkRead: signs.MarkRead, Typing: signs.Typing,
	})
}

// errToken reports an access token that can't be one. Its value is not shown.
var errToken = errors.New("graph: access_token is missing or holds spaces or control characters")

// Renew implements provider.Sender: the requests that begin from now on show the access token of
// the settings.
func (s *Sender) Renew(settings provider.Settings) error {
	token := settings.(*cloudapi.Settings).AccessToken.Reveal()
	if s.flaw != "" || !isToken(token) {
		return errToken
	}
	s.token.Store(&token)
	if s.wire != nil {
		s.wire.setToken(token)
	}
	return nil
}

// Send posts one reply, once, and says what became of it. It returns within Config.Timeout, or
// earlier when ctx ends; a send that was cancelled before it got a connection is Rejected, later it
// is Unknown.
func (s *Sender) Send(ctx context.Context, out *provider.Outgoing) provider.Result {
	if s.flaw != "" {
		return provider.Result{Outcome: provider.ChannelHeld, Reason: "held: " + s.flaw}
	}
	if s.isClosed() {
		return provider.Result{Outcome: provider.RetryLater, Reason: "rejected: sender is closed"}
	}
	body, err := encode(out)
	if err != nil {
		return provider.Result{Outcome: provider.Refused, Reason: shorten(err.Error())}
	}
	if s.config.MarkRead {
		s.marks.offer(out.Answers)
	}
	answer, err := s.post(ctx, body)
	if err != nil {
		return fateWithoutAnswer(err)
	}
	return fate(answer)
}

func encode(out *provider.Outgoing) ([]byte, error) {
	if err := cloudapi.Check(out.Reply); err != nil {
		return nil, err
	}
	to := cloudapi.Recipient{WaID: out.To.GetWaId(), UserID: out.To.GetUserId()}
	return cloudapi.Encode(to, out.ReplyID, out.Reply)
}

// MarkRead marks a message of the user, and all before it, as read, and shows "typing..." if
// Config.Typing; it does nothing where the configuration wants neither. Call it before the bot
// thinks, never after the reply. An error wraps cloudapi.Failure where the provider refused; it
// harms nothing.
func (s *Sender) MarkRead(ctx context.Context, messageID string) error {
	switch {
	case !s.config.MarkRead && !s.config.Typing || messageID == "":
		return nil
	case s.flaw != "":
		return errors.New("graph: mark read: " + s.flaw)
	case s.isClosed():
		return ErrClosed
	}
	s.marks.note(messageID)
	return s.mark(ctx, messageID, s.config.Typing)
}

func (s *Sender) mark(ctx context.Context, messageID string, typing bool) error {
	answer, err := s.post(ctx, cloudapi.MarkRead(messageID, typing))
	if err != nil {
		return fmt.Errorf("graph: mark read: %w", err)
	}
	if !answer.ok() {
		return fmt.Errorf("graph: mark read: %w", cloudapi.Classify(answer.status, answer.body))
	}
	return nil
}

// Close ends read marks under way and the idle connections, unless they are a transport's that
// others share. Sends under way belong to their callers and go on; later ones are Rejected. It may
// be called more than once, and returns when all is done.
func (s *Sender) Close() {
	s.close.Do(func() { close(s.closed) })
	s.marks.close()
	if s.wire != nil {
		s.wire.close()
	}
	if own, ok := s.transport.(*http.Transport); ok && s.config.Transport == nil {
		own.CloseIdleConnections()
	}
}

func (s *Sender) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}
