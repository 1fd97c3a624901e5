package flow

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// call asks a service.
type call struct {
	at      place
	method  string
	url     *template
	headers []headerTemplate
	body    *construct
	raw     *template // a body that is a text
	timeout time.Duration
	expect  *expression
	save    string
	onError *target
}

type headerTemplate struct {
	name  string
	value *template
}

// Bounds of call.timeout.
const (
	minTimeout     = 100 * time.Millisecond
	maxTimeout     = time.Minute
	defaultTimeout = 10 * time.Second
)

var (
	callKeys = []string{"method", "url", "headers", "body", "timeout", "save", "expect", "on_error"}
	methods  = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"}
)

func (p *checker) call(n *node) *call {
	f, ok := p.fields(n, "call", callKeys...)
	if !ok {
		return nil
	}
	p.needs(f, "call", "url", "")
	c := &call{at: n.at, method: "GET", url: p.textOf(f, "url"), onError: p.target(f.get("on_error"), "on_error")}
	c.save = p.variable(f.get("save"), "save")
	c.timeout = p.timeout(f.get("timeout"))
	c.headers = p.headers(f.get("headers"))
	if body := f.get("body"); body != nil {
		c.method = "POST"
		c.parseBody(p, body)
	}
	if method := f.get("method"); method != nil {
		c.method = strings.ToUpper(p.word(method, "method"))
		if !contains(methods, c.method) {
			p.report(method.at, "there is no method "+c.method, "one of "+strings.Join(methods, ", "))
		}
	}
	if f.has("body") && (c.method == "GET" || c.method == "HEAD") {
		p.report(f.values["body"].at, c.method+" cannot have a body", "use method POST")
	}
	if expect := f.get("expect"); expect != nil {
		c.expect = p.condition(expect, "expect", expecting)
	}
	p.address(c.url)
	return c
}

func (c *call) parseBody(p *checker, n *node) {
	if n.kind == scalarNode {
		c.raw = p.template(n, "body")
		return
	}
	body := p.construct(n, texts)
	c.body = &body
}

func (p *checker) timeout(n *node) time.Duration {
	if n == nil {
		return defaultTimeout
	}
	d, err := time.ParseDuration(n.text)
	if err != nil || d < minTimeout || d > maxTimeout {
		p.report(n.at, fmt.Sprintf("timeout must be a duration from %s to %s", minTimeout, maxTimeout), "such as 5s")
		return defaultTimeout
	}
	return d
}

// ownHeaders are set by whoever performs the call.
var ownHeaders = []string{"idempotency-key", "host", "content-length", "connection", "transfer-encoding"}

func (p *checker) headers(n *node) []headerTemplate {
	if n == nil {
		return nil
	}
	if n.kind != mapNode {
		p.wrongKind(n, "headers", "a map")
		return nil
	}
	var out []headerTemplate
	seen := map[string]field{}
	for _, pair := range n.pairs {
		lower := strings.ToLower(pair.key)
		if !p.once(seen, pair) {
			continue
		}
		switch {
		case !isHeaderName(pair.key):
			p.report(pair.at, pair.key+" is no name for a header", "")
		case contains(ownHeaders, lower):
			p.report(pair.at, pair.key+" is set by Wactor", "leave it out")
		}
		if t := p.template(pair.value, "a header"); t != nil {
			out = append(out, headerTemplate{name: pair.key, value: t})
		}
	}
	slices.SortFunc(out, func(a, b headerTemplate) int { return strings.Compare(a.name, b.name) })
	return out
}

func isHeaderName(name string) bool {
	for _, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return name != ""
}

// address checks that the host of a url is fixed by the flow's author: in the literal before the first expression, or in an
// expression at the very start. What a user wrote can then never choose whom Wactor talks to.
func (p *checker) address(t *template) {
	if t == nil || len(t.parts) == 0 || t.parts[0].expr != nil {
		return
	}
	first := t.parts[0].literal
	_, host, found := strings.Cut(first, "://")
	if !found || !strings.HasPrefix(first, "http://") && !strings.HasPrefix(first, "https://") {
		p.report(t.at, "url does not start with http:// or https://", "")
		return
	}
	if len(t.parts) > 1 && !strings.ContainsAny(host, "/?") {
		p.report(t.at, "the host of a url cannot have {{ }}", "start the path with / before the first {{")
		return
	}
	if u, err := url.Parse(first); err != nil || u.Host == "" {
		p.report(t.at, "url is no address", "such as https://example.com/stock")
	}
}

// begin makes the request and suspends the run. An address or a header that cannot be made counts as a failed call.
func (c *call) begin(r *run) (*step, error) {
	if r.calls++; r.calls > MaxCallsPerTurn {
		return nil, r.fail(c.at, fmt.Sprintf("more than %d calls in one turn", MaxCallsPerTurn), nil)
	}
	out := &Call{
		Method: c.method, Timeout: c.timeout,
		IdempotencyKey: r.in.TurnID + "." + r.step.name + "." + strconv.Itoa(r.calls),
	}
	var err error
	if out.URL, err = c.expandURL(r); err != nil {
		return nil, err
	}
	if err := c.makeBody(r, out); err != nil {
		return nil, err
	}
	for _, h := range c.headers {
		value, err := h.value.expand(r)
		if err != nil {
			return nil, err
		}
		if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return nil, r.fail(h.value.at, "a header came out with control characters", nil)
		}
		out.Headers = append(out.Headers, Header{Name: h.name, Value: value})
	}
	r.pending = out
	return nil, nil
}

func (c *call) makeBody(r *run, out *Call) error {
	switch {
	case c.raw != nil:
		body, err := c.raw.expand(r)
		out.Body = []byte(body)
		return err
	case c.body != nil:
		value, err := c.body.build(r)
		if err != nil {
			return err
		}
		if value, err = normalise(value); err != nil {
			return r.fail(c.at, "body: "+err.Error(), err)
		}
		out.Body = appendJSON(nil, value)
		if !c.hasHeader("content-type") {
			out.Headers = append(out.Headers, Header{Name: "Content-Type", Value: "application/json"})
		}
	}
	return nil
}

func (c *call) hasHeader(lower string) bool {
	for _, h := range c.headers {
		if strings.ToLower(h.name) == lower {
			return true
		}
	}
	return false
}

// expandURL makes the address. Values are escaped for where they stand, so that a text of the user stays one segment of the
// path or one value of the query; only an expression at the very start, the base address, is taken as it is.
func (c *call) expandURL(r *run) (string, error) {
	var out strings.Builder
	for i, part := range c.url.parts {
		if part.expr == nil {
			out.WriteString(part.literal)
			continue
		}
		value, err := r.eval(part.expr)
		if err != nil {
			return "", err
		}
		text, err := appendDisplay(nil, value)
		if err != nil {
			return "", r.fail(part.expr.place(0), err.Error(), err)
		}
		escaped, ok := escapeInURL(string(text), i == 0, strings.Contains(out.String(), "?"))
		if !ok {
			return "", r.fail(part.expr.place(0), "a part of the path came out empty, or as . or ..", nil)
		}
		out.WriteString(escaped)
	}
	u, err := url.Parse(out.String())
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return "", r.fail(c.url.at, "the url did not come out as an http or https address", nil)
	}
	return out.String(), nil
}

func escapeInURL(text string, base, query bool) (string, bool) {
	switch {
	case base:
		return text, true
	case query:
		return url.QueryEscape(text), true
	}
	return url.PathEscape(text), text != "" && text != "." && text != ".."
}

// finish takes the answer: nil where the step goes on, else the step of on_error.
func (c *call) finish(r *run, result CallResult) (*step, error) {
	reason := string(result.Failure)
	var body any
	if reason == "" {
		body, reason = readBody(result.Body, c.save != "" || c.expect != nil)
	}
	if reason == "" {
		ok, err := c.expected(r, result.Status, body)
		if err != nil {
			return nil, err
		}
		if !ok {
			reason = fmt.Sprintf("status %d", result.Status)
		}
	}
	if reason != "" {
		return c.failed(r, result, reason)
	}
	if c.save != "" {
		return nil, r.assign(c.at, c.save, body)
	}
	return nil, nil
}

// readBody makes a value of an answer: of its JSON, or else of its text. What is neither is a failed call.
func readBody(data []byte, wanted bool) (value any, reason string) {
	if !wanted || len(data) == 0 {
		return nil, ""
	}
	if !utf8.Valid(data) {
		return nil, "answer is not UTF-8"
	}
	if !json.Valid(data) {
		text, err := normalise(string(data))
		if err != nil {
			return nil, string(CallTooLarge)
		}
		return text, ""
	}
	value, err := decode(data)
	if err != nil {
		return nil, string(CallTooLarge)
	}
	return value, ""
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

// failed goes on with on_error, or gives the turn up: to be tried again where the service may be better later.
func (c *call) failed(r *run, result CallResult, reason string) (*step, error) {
	if c.onError != nil {
		r.env["error"] = reason
		r.note("call in step " + r.step.name + " failed: " + reason)
		return c.onError.step, nil
	}
	err := r.fail(c.at, "call failed: "+reason, nil)
	if e, ok := err.(*RunError); ok {
		e.Retryable = retryable(result)
	}
	return nil, err
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
