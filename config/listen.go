package config

import (
	"net/url"
	"strings"
)

// ListenTLS names PEM files. They are read again when they change.
type ListenTLS struct {
	// Cert is the certificate with those that lead to its authority, Key its key.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// ClientCA holds the authorities whose certificates clients must show. Default: clients need
	// none.
	ClientCA string `yaml:"client_ca"`
}

// ListenACME asks an authority for certificates. It answers the authority's challenges on
// listen.http itself (TLS-ALPN-01), so port 443 of each domain must be forwarded to it.
type ListenACME struct {
	// Domains are the names to be certified.
	Domains []string `yaml:"domains"`
	// Email is where the authority writes to when something is wrong.
	Email string `yaml:"email"`
	// Directory is the authority's URL. Default: Let's Encrypt.
	Directory string `yaml:"directory"`
	// Root is a PEM file with the authority of the directory's own certificate. Default: those of
	// the system.
	Root string `yaml:"root"`
}

// LetsEncrypt is the directory of the authority that is asked where no other is named.
const LetsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

// DefaultListenACME returns what holds where listen.acme says nothing else.
func DefaultListenACME() ListenACME { return ListenACME{Directory: LetsEncrypt} }

func (a *ListenACME) setDefaults() { *a = DefaultListenACME() }

func (l *Listen) validate(r *report) {
	r.address("listen.http", l.HTTP)
	r.address("listen.admin", l.Admin)
	if l.TLS != nil {
		r.required("listen.tls.cert", l.TLS.Cert == "", "name a PEM file with the certificate chain")
		r.required("listen.tls.key", l.TLS.Key == "", "name a PEM file with its key")
		if l.ACME != nil {
			r.add("listen.acme", "keep one of the two", "listen.tls has certificates already")
		}
	}
	if l.ACME != nil {
		l.ACME.validate(r)
	}
}

func (a *ListenACME) validate(r *report) {
	r.required("listen.acme.domains", len(a.Domains) == 0, "name what the provider calls, such as bot.example.com")
	for i, domain := range a.Domains {
		if path := element("listen.acme.domains", i); !strings.Contains(domain, ".") || !nodeName.MatchString(domain) {
			r.add(path, "write a name such as bot.example.com", "%s is no public name", r.quote(path, domain))
		}
	}
	if u, err := url.Parse(a.Directory); err != nil || u.Scheme != "https" || u.Host == "" {
		r.add("listen.acme.directory", "write an https address, or leave it out for Let's Encrypt",
			"%s is no address of "+
				"an authority", r.quote("listen.acme.directory", a.Directory))
	}
}
