package definition

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/source"
)

// call asks a service.
type call struct {
	at      source.Place
	method  string
	url     *expr.Template
	headers []headerTemplate
	body    *expr.Construct
	raw     *expr.Template // a body that is a text
	timeout time.Duration
	expect  *expr.Expression
	save    string
	onError *Target
}

type headerTemplate struct {
	name  string
	value *expr.Template
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

func readCall(p *parser, _ *Step, n *source.Node) Part {
	f, ok := p.Fields(n, "call", callKeys...)
	if !ok {
		return nil
	}
	p.Needs(f, "call", "url", "")
	c := &call{at: n.At, method: "GET", url: p.TextOf(f, "url"), onError: p.target(f.Get("on_error"), "on_error")}
	c.save = p.variable(f.Get("save"), "save")
	c.timeout = readTimeout(p, f.Get("timeout"))
	c.headers = readHeaders(p, f.Get("headers"))
	if body := f.Get("body"); body != nil {
		c.method = "POST"
		c.parseBody(p, body)
	}
	if method := f.Get("method"); method != nil {
		c.method = strings.ToUpper(p.Word(method, "method"))
		if !slices.Contains(methods, c.method) {
			p.Report(method.At, "there is no method "+c.method, "one of "+strings.Join(methods, ", "))
		}
	}
	if f.Has("body") && (c.method == "GET" || c.method == "HEAD") {
		p.Report(f.Place("body"), c.method+" cannot have a body", "use method POST")
	}
	if expect := f.Get("expect"); expect != nil {
		c.expect = p.Condition(expect, "expect", expr.Expecting)
	}
	c.sortHeaders()
	if c.url != nil {
		p.later = append(p.later, func(vars map[string]any) { c.fixHost(p, vars) })
	}
	return c
}

func (c *call) parseBody(p *parser, n *source.Node) {
	if n.Kind == source.Scalar {
		c.raw = p.Template(n, "body")
		return
	}
	body := p.Construct(n, expr.Texts)
	c.body = &body
}

func readTimeout(p *parser, n *source.Node) time.Duration {
	if n == nil {
		return defaultTimeout
	}
	d, err := time.ParseDuration(n.Text)
	if err != nil || d < minTimeout || d > maxTimeout {
		p.Report(n.At, fmt.Sprintf("timeout must be a duration from %s to %s", minTimeout, maxTimeout), "such as 5s")
		return defaultTimeout
	}
	return d
}

// ownHeaders are set by what performs the call.
var ownHeaders = []string{"idempotency-key", "host", "content-length", "connection", "transfer-encoding"}

func readHeaders(p *parser, n *source.Node) []headerTemplate {
	if n == nil {
		return nil
	}
	if n.Kind != source.Map {
		p.WrongKind(n, "headers", "a map")
		return nil
	}
	var out []headerTemplate
	for pair := range p.Pairs(n) {
		lower := strings.ToLower(pair.Key)
		switch {
		case !isHeaderName(pair.Key):
			p.Report(pair.At, pair.Key+" is no name for a header", "")
		case slices.Contains(ownHeaders, lower):
			p.Report(pair.At, pair.Key+" is set by Wactor", "leave it out")
		}
		if t := p.Template(pair.Value, "a header"); t != nil {
			out = append(out, headerTemplate{name: pair.Key, value: t})
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
		c.headers = append(c.headers, headerTemplate{name: "Content-Type", value: expr.Text("application/json")})
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

// fixHost checks that the flow's author has fixed the host: what a user wrote can then never choose
// whom Wactor talks to.
func (c *call) fixHost(p *parser, vars map[string]any) {
	p.FixHost(c.url, func(variable string) (string, bool) {
		base, isText := vars[variable].(string)
		return base, isText && !p.assigned[variable]
	})
}

// Ways implements Part.
func (c *call) Ways() []Way {
	if c.onError == nil {
		return nil
	}
	return []Way{{Label: "on_error", To: c.onError, Now: true}}
}
