package expr

import (
	"net/url"
	"slices"
	"strings"

	"github.com/wactor/wactor/flow/value"
)

// Address makes a web address of a template. Values are escaped for where they stand, so that a
// text of the user stays one segment of the path or one value of the query; only an expression at
// the very start, the base, is taken as it is.
//
// The reason says why the values make no address that starts with one of the schemes; it is empty
// where they do.
func (t *Template) Address(e *Env, schemes ...string) (address, reason string, err error) {
	var out strings.Builder
	for i, part := range t.parts {
		if part.expr == nil {
			out.WriteString(part.literal)
			continue
		}
		v, err := e.Eval(part.expr)
		if err != nil {
			return "", "", err
		}
		text, err := value.AppendText(nil, v)
		if err != nil {
			return "", "", Fail(part.expr.place(0), err.Error(), err)
		}
		escaped, ok := escapeInURL(string(text), i == 0, strings.Contains(out.String(), "?"))
		if !ok {
			return "", "a part of the address came out empty, or as . or ..", nil
		}
		out.WriteString(escaped)
	}
	u, err := url.Parse(out.String())
	if err != nil || !slices.Contains(schemes, u.Scheme) || u.Host == "" || u.User != nil ||
		out.Len() > maxAddress {
		return "", "the address did not come out as one of " + strings.Join(schemes, " or "), nil
	}
	return out.String(), "", nil
}

// maxAddress bounds an address, in bytes: what browsers and servers take.
const maxAddress = 2048

func escapeInURL(text string, base, query bool) (string, bool) {
	switch {
	case base:
		return strings.TrimSpace(text), true
	case query:
		return url.QueryEscape(text), true
	}
	return url.PathEscape(text), text != "" && text != "." && text != ".."
}

// FixHost reports a url whose host the flow's author has not fixed: what a user wrote can then
// never choose whom Wactor talks to. The host is in the text before the first expression, or in a
// variable at the very start that fixed knows, one that vars gives its value and no step changes.
func (c *Compiler) FixHost(t *Template, fixed func(variable string) (string, bool)) {
	if len(t.parts) == 0 {
		return
	}
	first, parts := "", t.parts
	if e := parts[0].expr; e != nil && e.program == nil {
		return // a mistake that is reported
	} else if e != nil {
		name, isVariable := strings.CutPrefix(strings.TrimSpace(e.program.Source().String()), "vars.")
		base, ok := fixed(name)
		if !isVariable || !ok {
			c.Report(t.At, "the host of a url cannot come from what changes",
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
		c.Report(t.At, "url does not start with http:// or https://", "")
		return
	}
	if len(parts) > 0 && !strings.ContainsAny(host, "/?") {
		c.Report(t.At, "the host of a url cannot have {{ }}", "start the path with / before the first {{")
		return
	}
	switch u, err := url.Parse(first); {
	case err != nil || u.Host == "":
		c.Report(t.At, "url is no address", "such as https://example.com/stock")
	case u.User != nil:
		c.Report(t.At, "url names a user", "log in with a header, such as Authorization")
	}
}

// HTTPS reports an address that WhatsApp cannot open. One that starts with an expression is seen
// only when it is sent; t may be nil.
func (c *Compiler) HTTPS(t *Template, what string) {
	if t == nil || len(t.parts) == 0 || t.parts[0].expr != nil {
		return
	}
	if !strings.HasPrefix(t.parts[0].literal, "https://") {
		c.Report(t.At, what+" is not an https address", "WhatsApp opens https:// only")
	}
}
