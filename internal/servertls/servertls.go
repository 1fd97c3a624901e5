// Package servertls makes the TLS configuration of the public listener: from files, which are read
// again when they change, or with certificates that an ACME authority issues.
package servertls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/wactor/wactor/internal/fresh"
)

// protocols are offered in this order.
var protocols = []string{"h2", "http/1.1"}

// Files name a certificate chain, its key and, where clients must show a certificate, the
// authorities that sign theirs; all in PEM.
type Files struct{ Cert, Key, ClientCA string }

// held is what the files hold.
type held struct {
	certificate tls.Certificate
	clients     *x509.CertPool
}

func (f Files) read() (held, error) {
	certificate, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil || f.ClientCA == "" {
		return held{certificate, nil}, err
	}
	authorities, err := os.ReadFile(f.ClientCA)
	if err != nil {
		return held{}, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authorities) {
		return held{}, fmt.Errorf("%s holds no certificate", f.ClientCA)
	}
	return held{certificate, pool}, nil
}

// FromFiles returns a configuration that follows changes of the files within a second. Where
// changed files can't be used, the ones before stay in use.
func FromFiles(f Files) (*tls.Config, error) {
	names := []string{f.Cert, f.Key}
	if f.ClientCA != "" {
		names = append(names, f.ClientCA)
	}
	current, err := fresh.Open(f.read, time.Now, names...)
	if err != nil {
		return nil, fmt.Errorf("servertls: %w", err)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: protocols,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			h, _ := current.Get()
			c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: protocols,
				Certificates: []tls.Certificate{h.certificate}}
			if h.clients != nil {
				c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, h.clients
			}
			return c, nil
		},
	}, nil
}

// ACME says for which names to ask which authority.
type ACME struct {
	Domains []string
	// Email is where the authority writes to; may be empty.
	Email string
	// Directory is the URL of the authority.
	Directory string
	// Root is a PEM file with the authority that signs the directory's own certificate; empty for
	// those of the system.
	Root string
	// Dir keeps account, keys and certificates.
	Dir string
	// Port is that of the listener, which answers the authority's challenges (TLS-ALPN-01).
	Port int
}

// FromACME returns a configuration whose certificates are asked for now and renewed until ctx ends.
// It does not wait for them: until they are there, handshakes fail.
func FromACME(ctx context.Context, a ACME, log *slog.Logger) (*tls.Config, error) {
	roots, err := a.roots()
	if err != nil {
		return nil, fmt.Errorf("servertls: %w", err)
	}
	var magic *certmagic.Config
	cache := certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return magic, nil },
		Logger:           zap.NewNop(),
	})
	context.AfterFunc(ctx, cache.Stop)
	magic = certmagic.New(cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: a.Dir}, Logger: zap.NewNop(),
		OnEvent: func(_ context.Context, event string, data map[string]any) error {
			report(log, event, data)
			return nil
		},
	})
	magic.Issuers = []certmagic.Issuer{certmagic.NewACMEIssuer(magic, certmagic.ACMEIssuer{
		CA: a.Directory, Email: a.Email, Agreed: true, TrustedRoots: roots, DisableHTTPChallenge: true,
		AltTLSALPNPort: a.Port, Logger: zap.NewNop(),
	})}
	if err := magic.ManageAsync(ctx, a.Domains); err != nil {
		return nil, fmt.Errorf("servertls: %w", err)
	}
	config := magic.TLSConfig()
	config.MinVersion = tls.VersionTLS12
	config.NextProtos = append(protocols[:len(protocols):len(protocols)], config.NextProtos...)
	return config, nil
}

func (a ACME) roots() (*x509.CertPool, error) {
	if a.Root == "" {
		return nil, nil
	}
	text, err := os.ReadFile(a.Root)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", a.Root)
	}
	return pool, nil
}

// report logs what an operator must know of certificates.
func report(log *slog.Logger, event string, data map[string]any) {
	switch event {
	case "cert_obtained":
		log.Info("certificate obtained", "name", data["identifier"], "renewal", data["renewal"])
	case "cert_failed":
		log.Error("obtaining a certificate failed; it is attempted again", "name", data["identifier"], "renewal",
			data["renewal"], "error", data["error"])
	}
}
