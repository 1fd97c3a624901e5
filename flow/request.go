package flow

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wactor/wactor/flow/value"
)

// begin makes the request and suspends the run. What the values make no request of is a failed
// call, as much as one that was never answered: a user who wrote ".." for an order number can be
// told so by on_error.
func (c *call) begin(r *run) (*step, error) {
	if r.calls++; r.calls > MaxCallsPerTurn {
		return nil, r.fail(c.at, fmt.Sprintf("more than %d calls in one turn", MaxCallsPerTurn), nil)
	}
	out, reason, err := c.request(r)
	switch {
	case err != nil:
		return nil, err
	case reason != "":
		return c.failed(r, CallResult{}, reason)
	}
	r.pending = out
	return nil, nil
}

func (c *call) request(r *run) (out *Call, reason string, err error) {
	out = &Call{
		Method: c.method, Timeout: c.timeout,
		IdempotencyKey: r.in.TurnID + "." + r.step.name + "." + strconv.Itoa(r.calls),
	}
	if out.URL, reason, err = c.url.address(r, "http", "https"); err != nil || reason != "" {
		return nil, reason, err
	}
	if out.Headers, reason, err = c.makeHeaders(r); err != nil || reason != "" {
		return nil, reason, err
	}
	out.Body, err = c.makeBody(r)
	return out, "", err
}

func (c *call) makeHeaders(r *run) (out []Header, reason string, err error) {
	for _, h := range c.headers {
		value, err := h.value.expand(r)
		if err != nil {
			return nil, "", err
		}
		if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return nil, "a header came out with control characters", nil
		}
		out = append(out, Header{Name: h.name, Value: value})
	}
	return out, "", nil
}

func (c *call) makeBody(r *run) ([]byte, error) {
	switch {
	case c.raw != nil:
		body, err := c.raw.expand(r)
		return []byte(body), err
	case c.body != nil:
		v, err := c.body.build(r)
		if err != nil {
			return nil, err
		}
		if v, err = value.Normalise(v); err != nil {
			return nil, r.fail(c.at, "body: "+err.Error(), err)
		}
		return value.AppendJSON(nil, v), nil
	}
	return nil, nil
}
