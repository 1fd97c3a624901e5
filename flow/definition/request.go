package definition

import (
	"strconv"
	"strings"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/value"
)

// Run makes the request and suspends the run. What the values make no request of is a failed
// call, as much as one that was never answered: on_error can
// answer a user who wrote ".." for an order number.
func (c *call) Run(r *run.Run) (*Step, error) {
	number, err := r.CountCall(c.at)
	if err != nil {
		return nil, err
	}
	out, reason, err := c.request(r, number)
	switch {
	case err != nil:
		return nil, err
	case reason != "":
		return c.failed(r, run.CallResult{}, reason)
	}
	r.Pending = out
	return nil, nil
}

func (c *call) request(r *run.Run, number int) (out *run.Call, reason string, err error) {
	out = &run.Call{
		Method: c.method, Timeout: c.timeout,
		IdempotencyKey: r.In.TurnID + "." + r.Step + "." + strconv.Itoa(number),
	}
	if out.URL, reason, err = c.url.Address(&r.Env, "http", "https"); err != nil || reason != "" {
		return nil, reason, err
	}
	if out.Headers, reason, err = c.makeHeaders(r); err != nil || reason != "" {
		return nil, reason, err
	}
	out.Body, err = c.makeBody(r)
	return out, "", err
}

func (c *call) makeHeaders(r *run.Run) (out []run.Header, reason string, err error) {
	for _, h := range c.headers {
		value, err := h.value.Expand(&r.Env)
		if err != nil {
			return nil, "", err
		}
		if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return nil, "a header came out with control characters", nil
		}
		out = append(out, run.Header{Name: h.name, Value: value})
	}
	return out, "", nil
}

func (c *call) makeBody(r *run.Run) ([]byte, error) {
	switch {
	case c.raw != nil:
		body, err := c.raw.Expand(&r.Env)
		return []byte(body), err
	case c.body != nil:
		v, err := c.body.Build(&r.Env)
		if err != nil {
			return nil, err
		}
		if v, err = value.Normalise(v); err != nil {
			return nil, expr.Fail(c.at, "body: "+err.Error(), err)
		}
		return value.AppendJSON(nil, v), nil
	}
	return nil, nil
}
