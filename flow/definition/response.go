package definition

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/value"
)

// Resume takes the answer: nil where the step goes on, else the step of on_error.
func (c *call) Resume(r *run.Run, result run.CallResult) (*Step, error) {
	if result.Failure != "" {
		return c.failed(r, result, string(result.Failure))
	}
	body, reason := readBody(result.Body, c.save != "" || c.expect != nil)
	if reason != "" {
		return c.failed(r, result, reason)
	}
	ok, err := c.expected(r, result.Status, body)
	switch {
	case err != nil && c.onError == nil:
		return nil, err
	case err != nil: // expect reads a part that this answer does not have
		return c.failed(r, result, "not the expected answer")
	case !ok:
		return c.failed(r, result, fmt.Sprintf("status %d", result.Status))
	}
	if c.save != "" {
		r.Vars[c.save] = body
	}
	return nil, nil
}

// readBody makes a value of an answer: of its JSON, or else of its text. What is neither is a
// failed call.
func readBody(data []byte, wanted bool) (v any, reason string) {
	if !wanted || len(data) == 0 {
		return nil, ""
	}
	if !utf8.Valid(data) {
		return nil, "answer is not UTF-8"
	}
	v, err := value.Decode(data)
	if errors.Is(err, value.ErrNotJSON) {
		v, err = value.Normalise(string(data))
	}
	if err != nil {
		return nil, string(run.CallTooLarge)
	}
	return v, ""
}

func (c *call) expected(r *run.Run, status int, body any) (bool, error) {
	if c.expect == nil {
		return status >= 200 && status < 300, nil
	}
	r.Set("status", status)
	r.Set("body", body)
	defer r.Unset("status")
	defer r.Unset("body")
	return r.Holds(c.expect)
}

// failed goes on with on_error, or gives the turn up: to be tried again where the service may be
// better later.
func (c *call) failed(r *run.Run, result run.CallResult, reason string) (*Step, error) {
	if c.onError != nil {
		r.Set("error", reason)
		r.Note("call in step " + r.Step + " failed: " + reason)
		return c.onError.Step, nil
	}
	return nil, &expr.Failure{At: c.at, Reason: "call failed: " + reason, Retryable: retryable(result),
		NotReached: result.NotReached}
}

func retryable(result run.CallResult) bool {
	switch result.Failure {
	case run.CallTimeout, run.CallUnreachable:
		return true
	case run.CallTooLarge:
		return false
	}
	return result.Status >= 500 || result.Status == 429 || result.Status == 408
}
