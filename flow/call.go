package flow

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
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
	c.sortHeaders()
	if c.url != nil && len(c.url.parts) > 0 {
		p.urls = append(p.urls, c.url)
	}
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
	return out
}

// sortHeaders orders by name, after saying what kind of body goes along where the flow does not.
func (c *call) sortHeaders() {
	given := slices.ContainsFunc(c.headers, func(h headerTemplate) bool {
		return strings.EqualFold(h.name,
			"Content-Type")
	})
	if c.body != nil && !given {
		json := &template{parts: []templatePart{{literal: "application/json"}}}
		c.headers = append(c.headers, headerTemplate{name: "Content-Type", value: json})
	}
	slices.SortFunc(c.headers, func(a, b headerTemplate) int { return strings.Compare(a.name, b.name) })
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

// addresses checks that the flow's author has fixed the host of each url: what a user wrote can
// then never choose whom Wactor talks to. It is in the text before the first expression, or in a
// variable at the very start that vars gives its value and no step changes.
func (p *checker) addresses(vars map[string]any) {
	for _, t := range p.urls {
		p.address(t, vars)
	}
}

func (p *checker) address(t *template, vars map[string]any) {
	first, parts := "", t.parts
	if e := parts[0].expr; e != nil && e.program == nil {
		return // a mistake that is reported
	} else if e != nil {
		base, fixed := p.fixed(e, vars)
		if !fixed {
			p.report(t.at, "the host of a url cannot come from what changes",
				"write it out, or begin with {{ vars.name }}, an address that vars holds and no step sets")
			return
		}
		// not what a conversation may have kept of an earlier flow, in which a step set it
		parts[0] = templatePart{literal: base}
		first, parts = base, parts[1:]
	}
	if len(parts) > 0 && parts[0].expr == nil {
		first, parts = first+parts[0].literal, parts[1:]
	}
	_, host, found := strings.Cut(first, "://")
	if !found || !strings.HasPrefix(first, "http://") && !strings.HasPrefix(first, "https://") {
		p.report(t.at, "url does not start with http:// or https://", "")
		return
	}
	if len(parts) > 0 && !strings.ContainsAny(host, "/?") {
		p.report(t.at, "the host of a url cannot have {{ }}", "start the path with / before the first {{")
		return
	}
	switch u, err := url.Parse(first); {
	case err != nil || u.Host == "":
		p.report(t.at, "url is no address", "such as https://example.com/stock")
	case u.User != nil:
		p.report(t.at, "url names a user", "log in with a header, such as Authorization")
	}
}

// fixed is the text of an expression that is a variable which no step sets.
func (p *checker) fixed(e *expression, vars map[string]any) (string, bool) {
	name, isVariable := strings.CutPrefix(strings.TrimSpace(e.program.Source().String()), "vars.")
	value, isText := vars[name].(string)
	return value, isVariable && isText && !p.assigned[name]
}
