package trust

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A certificate begins an hour early, for nodes whose clocks are behind, and is replaced long
// before its end.
const (
	certificateEarly    = time.Hour
	certificateLifetime = 365 * 24 * time.Hour
	certificateRenewal  = certificateLifetime * 2 / 3
)

// ErrUntrusted is why a connection was refused: the other side's certificate is not one of this
// cluster.
var ErrUntrusted = errors.New("trust: the other side is not trusted")

var errNoNode = errors.New("trust: credentials: there is no node 0")

// Credentials are what a node shows to others, and how it checks them. Both sides of each
// connection do so; TLS 1.3 is the only version. Safe for concurrent use.
type Credentials struct {
	source source
	// named: every certificate of the cluster tells a node id.
	named bool
	now   func() time.Time
}

// source is where certificates come from. It is called in handshakes, by many at once.
type source interface {
	// certificate returns what this node shows at the moment.
	certificate() (*tls.Certificate, error)
	// roots returns the authorities that it trusts at the moment.
	roots() *x509.CertPool
	// check is Credentials.Check.
	check() error
}

// Credentials lets a node, whose id is not 0, issue itself a certificate by the authority of the
// first secret. It trusts those of all secrets. The certificate is replaced in time, with a new
// key, and is kept in memory only.
func (s *Secrets) Credentials(node uint64) (*Credentials, error) {
	return s.credentials(node, time.Now)
}

func (s *Secrets) credentials(node uint64, now func() time.Time) (*Credentials, error) {
	if node == 0 {
		return nil, errNoNode
	}
	i := &issuer{node: node, now: now, key: s.derived[0].authority, pool: x509.NewCertPool()}
	for n, d := range s.derived {
		authority, err := newAuthority(d.authority)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			i.authority = authority
		}
		i.pool.AddCert(authority)
	}
	if _, err := i.certificate(); err != nil {
		return nil, err
	}
	return &Credentials{source: i, named: true, now: now}, nil
}

// Server returns the configuration for listening. Later changes of the certificates reach it.
func (c *Credentials) Server() *tls.Config {
	config := c.config(x509.ExtKeyUsageClientAuth)
	// That there is a certificate is checked by crypto/tls, and what it is by trust.
	config.ClientAuth = tls.RequireAnyClientCert
	config.SessionTicketsDisabled = true // a resumed session would outlive a secret
	config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.source.certificate() }
	return config
}

// Client returns the configuration for calling. Later changes of the certificates reach it.
func (c *Credentials) Client() *tls.Config {
	config := c.config(x509.ExtKeyUsageServerAuth)
	// The library's own check wants a DNS name, which a node has not. trust does all the rest of
	// it.
	config.InsecureSkipVerify = true
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate,
		error) {
		return c.source.certificate()
	}
	return config
}

// Check says why certificates that have changed on disk can't be used; the ones before stay in use.
// It reads the files at most once a second. For certificates by a secret it always returns nil.
func (c *Credentials) Check() error { return c.source.check() }

// Report logs, once, why certificates that have changed on disk can't be used: the ones before go
// on until they expire, and then no node can connect. It takes what it returned the last time, the
// error that is reported.
func (c *Credentials) Report(log *slog.Logger, reported string) string {
	err := c.Check()
	if err == nil {
		return ""
	}
	if err.Error() != reported {
		log.Error("the new files of cluster.tls can't be used; the certificates before stay in use until they expire",
			"error", err)
	}
	return err.Error()
}

func (c *Credentials) config(others x509.ExtKeyUsage) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"h2"},
		Time:       c.now,
		// Unlike VerifyPeerCertificate this is called for every connection.
		VerifyConnection: func(state tls.ConnectionState) error { return c.trust(state, others) },
	}
}

// trust checks the other side's certificate: that one of the roots signed it, that it is valid now,
// that it is meant for what the other side is, and that it tells who that is.
func (c *Credentials) trust(state tls.ConnectionState, usage x509.ExtKeyUsage) error {
	if len(state.PeerCertificates) == 0 {
		return fmt.Errorf("%w: it shows no certificate", ErrUntrusted)
	}
	if err := verifyChain(state.PeerCertificates, c.source.roots(), c.now(), usage); err != nil {
		if stranger := (x509.UnknownAuthorityError{}); c.named && errors.As(err, &stranger) {
			return fmt.Errorf("%w: it has another secret", ErrUntrusted)
		}
		return fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	node, err := NodeOf(state)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	if c.named && node == 0 {
		return fmt.Errorf("%w: its certificate names no node", ErrUntrusted)
	}
	return nil
}

func verifyChain(chain []*x509.Certificate, roots *x509.CertPool, now time.Time, usage x509.ExtKeyUsage) error {
	intermediates := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		intermediates.AddCert(certificate)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage},
	})
	return err
}

// NodeOf returns the node id that the other side's certificate tells, 0 where it tells none. It
// must be called for connections with these Credentials only: they have checked the certificate.
func NodeOf(state tls.ConnectionState) (uint64, error) {
	if len(state.PeerCertificates) == 0 {
		return 0, errors.New("trust: the connection has no certificate")
	}
	return nodeOf(state.PeerCertificates[0])
}

// Nodes are named by URIs such as wactor://node/00000000000000a7.
const (
	nodeScheme = "wactor"
	nodeHost   = "node"
)

func nodeURI(node uint64) *url.URL {
	return &url.URL{Scheme: nodeScheme, Host: nodeHost, Path: fmt.Sprintf("/%016x", node)}
}

func nodeOf(certificate *x509.Certificate) (uint64, error) {
	var found uint64
	for _, uri := range certificate.URIs {
		if uri.Scheme != nodeScheme {
			continue
		}
		node, err := strconv.ParseUint(strings.TrimPrefix(uri.Path, "/"), 16, 64)
		if err != nil || node == 0 || *uri != *nodeURI(node) {
			return 0, fmt.Errorf("trust: the certificate names %q, want one such as %q", uri, nodeURI(1))
		}
		if found != 0 {
			return 0, errors.New("trust: the certificate names several nodes")
		}
		found = node
	}
	return found, nil
}

// issuer makes certificates of its own node.
type issuer struct {
	node      uint64
	now       func() time.Time
	authority *x509.Certificate
	key       ed25519.PrivateKey
	pool      *x509.CertPool

	mu      sync.Mutex
	current *tls.Certificate
}

func (i *issuer) roots() *x509.CertPool { return i.pool }

func (i *issuer) check() error { return nil }

func (i *issuer) certificate() (*tls.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	// A clock that was set back, too, may have left a certificate that is not valid yet.
	if now := i.now(); i.current == nil || now.Before(i.current.Leaf.NotBefore) ||
		!now.Before(i.current.Leaf.NotBefore.Add(certificateRenewal)) {
		issued, err := i.issue(now)
		if err != nil {
			return nil, fmt.Errorf("trust: issue a certificate: %w", err)
		}
		i.current = issued
	}
	return i.current, nil
}

func (i *issuer) issue(now time.Time) (*tls.Certificate, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	begin := now.Add(-certificateEarly).Truncate(time.Second)
	encoded, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		Subject:               pkix.Name{CommonName: fmt.Sprintf("wactor node %016x", i.node)},
		URIs:                  []*url.URL{nodeURI(i.node)},
		NotBefore:             begin,
		NotAfter:              begin.Add(certificateLifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}, i.authority, public, i.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(encoded)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{encoded}, PrivateKey: private, Leaf: leaf}, nil
}

// newAuthority makes the certificate of an authority. It is never sent: each node makes the same
// one for itself.
func newAuthority(key ed25519.PrivateKey) (*x509.Certificate, error) {
	public := key.Public().(ed25519.PublicKey)
	id := sha256.Sum256(public)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "wactor cluster authority"},
		SubjectKeyId: id[:20], // as it is in every version of Go
		NotBefore:    time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		// RFC 5280, 4.1.2.5: this is the date of certificates that never end.
		NotAfter:              time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	encoded, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		return nil, fmt.Errorf("trust: make the authority: %w", err)
	}
	authority, err := x509.ParseCertificate(encoded)
	if err != nil {
		return nil, fmt.Errorf("trust: make the authority: %w", err)
	}
	return authority, nil
}
