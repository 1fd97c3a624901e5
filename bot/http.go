package bot

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// HTTP is a bot that is called over HTTP. It is safe for concurrent use.
//
// A call is one POST of a TurnRequest. 200 with a TurnResponse answers it, and 204 says: no
// replies, state unchanged. An empty body under 200 is malformed: it is what a handler that forgot
// to answer sends, and would pass for a bot that has nothing to say. Which failures are retryable
// is said in failure.go.
type HTTP struct {
	config HTTPConfig
	header http.Header
	// transport is used without an http.Client around it, which would follow redirects.
	transport *http.Transport
	slots     chan struct{} // holds one element for each call under way
	large     chan struct{} // holds one element for each large answer that is read

	stop    context.CancelFunc // ends all calls
	stopped context.Context

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup // calls begun before closed was set
}

// NewHTTP returns a bot for a configuration, or an error that wraps ErrConfig. It makes no
// connection yet.
func NewHTTP(config HTTPConfig) (*HTTP, error) {
	config = config.withDefaults()
	if err := config.check(); err != nil {
		return nil, err
	}
	header, err := config.header()
	if err != nil {
		return nil, err
	}
	h := &HTTP{
		config: config, header: header, transport: config.transport(), slots: make(chan struct{}, config.MaxConcurrent),
		large: make(chan struct{}, maxLargeAnswers),
	}
	h.stopped, h.stop = context.WithCancel(context.Background())
	return h, nil
}

// transport keeps as many connections as there may be calls: with fewer, a burst would open and
// close one for each.
func (c HTTPConfig) transport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           c.MaxConcurrent,
		MaxIdleConnsPerHost:    c.MaxConcurrent,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Turn calls the program. It waits for a free slot as long as ctx lasts; the timeout counts from
// then on.
func (h *HTTP) Turn(ctx context.Context, turn *conversation.Turn) (*conversation.Answer, error) {
	leave, err := h.wait(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return h.call(ctx, turn)
}

// wait takes a slot, which leave gives back.
func (h *HTTP) wait(ctx context.Context) (leave func(), err error) {
	if !h.begin() {
		return nil, conversation.Temporary("closed")
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; h.calls.Done() }, nil
	case <-ctx.Done():
		err = cancelled(ctx)
	case <-h.stopped.Done():
		err = conversation.Temporary("closed")
	}
	h.calls.Done()
	return nil, err
}

// call calls the program at once.
func (h *HTTP) call(ctx context.Context, turn *conversation.Turn) (*conversation.Answer, error) {
	body, err := encodeTurn(turn)
	if err != nil {
		// The cause may quote what the user wrote.
		return nil, conversation.Permanent("turn can't be written as JSON")
	}
	ctx, cancel := h.bound(ctx)
	defer cancel()
	return h.post(ctx, turn.ID, body)
}

// begin counts a call; false once closed.
func (h *HTTP) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.calls.Add(1)
	return true
}

// bound makes the context of a call end by its timeout and by Close too, each with its own cause.
func (h *HTTP) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancelTimeout := context.WithTimeoutCause(ctx, h.config.Timeout, errTimeout)
	ctx, cancel := context.WithCancelCause(ctx)
	release := context.AfterFunc(h.stopped, func() { cancel(errClosed) })
	return ctx, func() {
		release()
		cancel(nil)
		cancelTimeout()
	}
}

func (h *HTTP) post(ctx context.Context, turnID string, body []byte) (*conversation.Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.config.URL, bytes.NewReader(body))
	if err != nil {
		return nil, conversation.Permanent("request can't be made")
	}
	request.Header = maps.Clone(h.header)
	// The key also lets the transport replace a kept connection that the bot closed before it
	// answered anything.
	request.Header[idempotencyKeyHeader] = []string{turnID}
	if h.config.Secret != "" {
		request.Header[SignatureHeader] = []string{Sign(h.config.Secret, body, time.Now())}
	}
	request, reached := traceReach(request)
	response, err := h.transport.RoundTrip(request)
	if err != nil {
		return nil, h.broken(ctx, err, reached())
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		return h.read(ctx, response)
	case http.StatusNoContent:
		return &conversation.Answer{}, nil
	}
	failure := refused(response.StatusCode)
	if h.config.Excerpts {
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxExcerptBytes))
		failure = withExcerpt(failure, body)
	}
	drain(response.Body)
	return nil, failure
}

// read takes the body of a 200 in whole.
func (h *HTTP) read(ctx context.Context, response *http.Response) (*conversation.Answer, error) {
	if response.ContentLength > MaxAnswerBytes+MaxAnswerData {
		return nil, tooLarge()
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxAnswerBytes+1))
	if err == nil && len(body) > MaxAnswerBytes {
		select {
		case h.large <- struct{}{}:
			defer func() { <-h.large }()
		case <-ctx.Done():
			return nil, h.broken(ctx, ctx.Err(), true)
		}
		var rest []byte
		rest, err = io.ReadAll(io.LimitReader(response.Body, MaxAnswerData+1))
		body = append(body, rest...)
	}
	switch {
	case err != nil:
		return nil, h.broken(ctx, err, true)
	case len(body) > MaxAnswerBytes+MaxAnswerData:
		return nil, tooLarge()
	}
	answer, failure := decodeAnswer(body)
	if failure == nil && len(body) > MaxAnswerBytes {
		failure = checkData(len(body), answer)
	}
	if failure != nil {
		if h.config.Excerpts {
			failure = withExcerpt(failure, body)
		}
		return nil, failure
	}
	return answer, nil
}

// checkData rejects an answer that is too large for other reasons than the data of its files.
func checkData(size int, answer *conversation.Answer) *conversation.BotError {
	for _, reply := range answer.Replies {
		for _, m := range []*wactorv1.Media{
			reply.GetMedia(), reply.GetButtons().GetHeader().GetMedia(), reply.GetList().GetHeader().GetMedia(),
			reply.GetCta().GetHeader().GetMedia(),
		} {
			size -= len(m.GetData()) / 3 * 4
		}
	}
	if size > MaxAnswerBytes {
		return tooLarge()
	}
	return nil
}

func tooLarge() *conversation.BotError {
	return conversation.Permanent("answer: larger than %d bytes", MaxAnswerBytes)
}

// drain reads what little an error page holds, so that the connection can be used again; a large
// one costs the connection.
func drain(body io.Reader) {
	_, _ = io.CopyN(io.Discard, body, 64<<10)
}

// Close ends the calls under way, waits for them, and closes the connections. Later calls fail.
func (h *HTTP) Close() error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.stop()
	h.calls.Wait()
	h.transport.CloseIdleConnections()
	return nil
}
