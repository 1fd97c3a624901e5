package flow

import (
	"net/url"
	"strings"

	"github.com/wactor/wactor/flow/value"
)

// address makes a web address of a template. Values are escaped for where they stand, so that a
// text of the user stays one segment of the path or one value of the query; only an expression at
// the very start, the base, is taken as it is.
//
// The reason says why the values make no address that starts with one of the schemes; it is empty
// where they do.
func (t *template) address(r *run, schemes ...string) (address, reason string, err error) {
	var out strings.Builder
	for i, part := range t.parts {
		if part.expr == nil {
			out.WriteString(part.literal)
			continue
		}
		v, err := r.eval(part.expr)
		if err != nil {
			return "", "", err
		}
		text, err := value.AppendText(nil, v)
		if err != nil {
			return "", "", r.fail(part.expr.place(0), err.Error(), err)
		}
		escaped, ok := escapeInURL(string(text), i == 0, strings.Contains(out.String(), "?"))
		if !ok {
			return "", "a part of the address came out empty, or as . or ..", nil
		}
		out.WriteString(escaped)
	}
	u, err := url.Parse(out.String())
	if err != nil || !contains(schemes, u.Scheme) || u.Host == "" || u.User != nil || len(out.String()) > maxAddress {
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

// link makes an address that WhatsApp opens.
func (r *run) link(t *template) (string, error) {
	address, reason, err := t.address(r, "https")
	if err == nil && reason != "" {
		err = r.fail(t.at, reason, nil)
	}
	return address, err
}
