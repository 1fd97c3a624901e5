package flow

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/wactor/wactor/flow/value"
)

// finish takes the answer: nil where the step goes on, else the step of on_error.
func (c *call) finish(r *run, result CallResult) (*step, error) {
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
		r.vars[c.save] = body
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
		return nil, string(CallTooLarge)
	}
	return v, ""
}

func (c *call) expected(r *run, status int, body any) (bool, error) {
	if c.expect == nil {
		return status >= 200 && status < 300, nil
	}
	r.env["status"], r.env["body"] = status, body
	defer delete(r.env, "status")
	defer delete(r.env, "body")
	return r.holds(c.expect)
}

// failed goes on with on_error, or gives the turn up: to be tried again where the service may be
// better later.
func (c *call) failed(r *run, result CallResult, reason string) (*step, error) {
	if c.onError != nil {
		r.env["error"] = reason
		r.note("call in step " + r.step.name + " failed: " + reason)
		return c.onError.step, nil
	}
	return nil, &RunError{
		File: r.flow.file, Step: r.step.name, Line: c.at.line, Column: c.at.column,
		Reason: "call failed: " + reason, Retryable: retryable(result),
	}
}

func retryable(result CallResult) bool {
	switch result.Failure {
	case CallTimeout, CallUnreachable:
		return true
	case CallTooLarge:
		return false
	}
	return result.Status >= 500 || result.Status == 429 || result.Status == 408
}
