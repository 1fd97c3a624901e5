package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
)

// warn notes what a node starts with though it is likely a mistake. A warning quotes no secret.
func (c *Config) warn(r *report) {
	r.weak("admin.token", c.Admin.Token)
	for _, name := range slices.Sorted(maps.Keys(c.Admin.Principals)) {
		r.weak(child(child("admin.principals", name), "token"), c.Admin.Principals[name].Token)
	}
	for _, secret := range c.Cluster.Secret {
		r.weak("cluster.secret", secret)
	}
	for i := range c.Channels {
		path, channel := element("channels", i), &c.Channels[i]
		if channel.Settings != nil {
			channel.Settings.Warn(part{r, path})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Bots)) {
		path, b := child("bots", name), c.Bots[name]
		if b.OnFailure.Reply == "" {
			r.warnAt(child(path, "on_failure.reply"), "set on_failure: { reply: ... }",
				"is not set: a user whose message the bot fails on gets no answer")
		}
		if b.HTTP != nil {
			r.weak(child(path, "http.secret"), b.HTTP.Secret)
			r.plain(child(path, "http.url"), b.HTTP.URL)
			c.warnOfLinks(r, child(path, "http.url"), b.HTTP.URL)
		}
	}
}

// fewCharacters is how many different characters a random secret has at least, but for one in a
// million of them.
const fewCharacters = 6

// weak warns of a secret that can be guessed.
func (r *report) weak(path string, secret Secret) {
	text := secret.Reveal()
	different := map[rune]bool{}
	for _, c := range text {
		different[c] = true
	}
	switch {
	case text == "":
	case len(text) < minToken:
		r.warnAt(path, "make a longer one, or copy it again", "is weak: shorter than %d characters", minToken)
	case len(different) == 1:
		r.warnAt(path, "make one with: openssl rand -hex 32", "is weak: one character, repeated")
	case len(different) < fewCharacters:
		r.warnAt(path, "make one with: openssl rand -hex 32", "is weak: only %d different characters", len(different))
	}
}

// warnAt notes a warning of the value at a path.
func (r *report) warnAt(path, remedy, format string, args ...any) {
	if at := r.at(path); len(r.warnings) < maxProblems {
		p := r.problemAt(at, path, remedy, format, args...)
		r.warnings = append(r.warnings, p)
	}
}

// checkFiles looks at the files that a configuration names: certificates that serve would reject,
// and secrets that every user of this machine can read.
func (c *Config) checkFiles(r *report, secretFiles map[string]string) {
	for _, path := range slices.Sorted(maps.Keys(secretFiles)) {
		info, err := os.Stat(secretFiles[path])
		if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0 {
			r.warnAt(path, "chmod 600 it", "is in a file that every user of this machine can read (mode %#o)",
				info.Mode().Perm())
		}
	}
	t := c.Cluster.TLS
	if t == nil || r.isFaulty("cluster.tls.cert") || r.isFaulty("cluster.tls.key") || r.isFaulty("cluster.tls.ca") {
		return
	}
	if _, err := tls.LoadX509KeyPair(t.Cert, t.Key); err != nil {
		r.add("cluster.tls.cert", "name the certificate of this node, and its key in cluster.tls.key",
			"can't be used with its key: %s", unnamed(err))
	}
	pem, err := os.ReadFile(t.CA)
	if err != nil {
		r.add("cluster.tls.ca", "name a PEM file", "can't be read: %s", unnamed(err))
	} else if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		r.add("cluster.tls.ca", "name a PEM file of certificates", "holds no certificate")
	}
	if info, err := os.Stat(t.Key); err == nil && info.Mode().Perm()&0o004 != 0 {
		r.warnAt("cluster.tls.key", "chmod 600 it", "is in a file that every user of this machine can read (mode %#o)",
			info.Mode().Perm())
	}
}

// unnamed is what an error says of a file, which the problem's place names already.
func unnamed(err error) string {
	if failed, ok := err.(*fs.PathError); ok {
		return fmt.Sprintf("%s: %v", failed.Path, failed.Err)
	}
	return err.Error()
}
