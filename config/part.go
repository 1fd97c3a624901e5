package config

import (
	"net"
	"net/url"
	"strings"

	"github.com/wactor/wactor/provider"
)

// part is a report of what is below one path: what a provider says of its keys of a channel.
type part struct {
	*report
	path string
}

var _ provider.Report = part{}

// Problem implements provider.Report.
func (p part) Problem(key, remedy, format string, args ...any) {
	p.add(child(p.path, key), remedy, format, args...)
}

// Quote implements provider.Report.
func (p part) Quote(key, value string) string { return p.quote(child(p.path, key), value) }

// Required implements provider.Report.
func (p part) Required(key string, empty bool, remedy string) {
	p.required(child(p.path, key), empty, remedy)
}

// URL implements provider.Report.
func (p part) URL(key, value string) { p.url(child(p.path, key), value) }

// Tokens implements provider.Report.
func (p part) Tokens(key, remedy string, secrets ...Secret) {
	path := child(p.path, key)
	if len(secrets) == 0 {
		p.add(path, remedy, "is required")
	}
	for i, one := range secrets {
		at := path
		if p.has(element(path, i)) {
			at = element(path, i)
		}
		p.required(at, one.Empty(), remedy)
		p.oneWord(at, one)
	}
}

// Weak implements provider.Report.
func (p part) Weak(key string, secrets ...Secret) {
	for _, one := range secrets {
		p.weak(child(p.path, key), one)
	}
}

// Plain implements provider.Report.
func (p part) Plain(key, address string) { p.plain(child(p.path, key), address) }

// oneWord finds what was copied along with a secret of the provider's: all webhooks would be
// rejected for it, or all replies held, and nothing that is shown would say why.
func (r *report) oneWord(path string, secret Secret) {
	if strings.ContainsFunc(secret.Reveal(), func(c rune) bool { return c <= ' ' || c > '~' }) {
		r.add(path, "copy it again, alone",
			"holds a space, a line break or another character that is in no such secret")
	}
}

// url reports what is no address of an HTTP server. One with credentials is not quoted.
func (r *report) url(path, value string) {
	address, err := url.Parse(value)
	switch {
	case err == nil && address.User != nil, err != nil && strings.Contains(value, "@"):
		r.add(path, "send them in a header or token", "must not hold credentials")
	case err != nil, address.Scheme != "http" && address.Scheme != "https", address.Hostname() == "",
		address.Fragment != "":
		r.add(path, "write one such as https://example.com/path", "%s is no http or https address",
			r.quote(path, value))
	}
}

// plain warns of an address of another machine that is called without TLS: what users write, and
// tokens, could be read on the way.
func (r *report) plain(path, address string) {
	at, err := url.Parse(address)
	if err != nil || at.Scheme != "http" || Loopback(net.JoinHostPort(at.Hostname(), "0")) {
		return
	}
	r.warnAt(path, "use https, or a tunnel to this machine", "is plain http to another machine")
}
