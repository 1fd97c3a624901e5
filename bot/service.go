package bot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/flow"
)

// maxServiceAnswer is how large the answer of a service may be that a flow calls, in bytes after
// decompression.
const maxServiceAnswer = 1 << 20

// serviceClient performs the calls of flows.
type serviceClient struct {
	transport *http.Transport
	stop      context.CancelFunc
	stopped   context.Context
}

func newServiceClient() *serviceClient {
	c := &serviceClient{transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}}
	c.stopped, c.stop = context.WithCancel(context.Background())
	return c
}

func (c *serviceClient) close() error {
	c.stop()
	c.transport.CloseIdleConnections()
	return nil
}

// perform makes one request. A service that fails is a result, which the flow may handle by
// on_error; an error says that the turn itself was given up. Redirects are not followed: they would
// lead to a host that the flow's author did not write.
func (c *serviceClient) perform(ctx context.Context, call *flow.Call) (flow.CallResult, error) {
	bounded, cancelTimeout := context.WithTimeoutCause(ctx, call.Timeout, errTimeout)
	defer cancelTimeout()
	bounded, cancel := context.WithCancelCause(bounded)
	defer cancel(nil)
	defer context.AfterFunc(c.stopped, func() { cancel(errClosed) })()
	request, err := http.NewRequestWithContext(bounded, call.Method, call.URL, bytes.NewReader(call.Body))
	if err != nil {
		return flow.CallResult{}, conversation.Permanent("request to a service can't be made") // err holds the URL
	}
	for _, header := range call.Headers {
		request.Header.Set(header.Name, header.Value)
	}
	request.Header.Set(idempotencyKeyHeader, call.IdempotencyKey)
	request, reached := traceReach(request)
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		result, err := broken(bounded, ctx)
		result.NotReached = result.Failure != "" && !reached()
		return result, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxServiceAnswer+1))
	switch {
	case err != nil:
		return broken(bounded, ctx)
	case len(body) > maxServiceAnswer:
		return flow.CallResult{Failure: flow.CallTooLarge}, nil
	}
	return flow.CallResult{Status: response.StatusCode, Body: body}, nil
}

// broken tells a service that failed from a turn that was given up.
func broken(bounded, ctx context.Context) (flow.CallResult, error) {
	switch {
	case ctx.Err() != nil:
		return flow.CallResult{}, cancelled(ctx)
	case errors.Is(context.Cause(bounded), errClosed):
		return flow.CallResult{}, conversation.Temporary("closed")
	case errors.Is(context.Cause(bounded), errTimeout):
		return flow.CallResult{Failure: flow.CallTimeout}, nil
	}
	return flow.CallResult{Failure: flow.CallUnreachable}, nil
}
