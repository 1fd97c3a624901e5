package trust

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority signs certificates for tests, as an operator's own would.
type authority struct {
	t           *testing.T
	now         func() time.Time
	key         ed25519.PrivateKey
	certificate *x509.Certificate
}

func newTestAuthority(t *testing.T, now func() time.Time) authority {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := newAuthority(key)
	if err != nil {
		t.Fatal(err)
	}
	return authority{t, now, key, certificate}
}

// sign returns a certificate and its key in PEM. change may be nil.
func (a authority) sign(change func(*x509.Certificate)) (certificate, key []byte) {
	a.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: a.now().Add(-time.Hour), NotAfter: a.now().Add(24 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(template)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	encoded, err := x509.CreateCertificate(rand.Reader, template, a.certificate, public, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	encodedKey, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return encodePEM("CERTIFICATE", encoded), encodePEM("PRIVATE KEY", encodedKey)
}

func (a authority) pem() []byte { return encodePEM("CERTIFICATE", a.certificate.Raw) }

func encodePEM(kind string, content []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content})
}

// folder holds the three files of a node.
type folder struct {
	t   *testing.T
	dir string
}

func (f folder) write(name string, content []byte) {
	f.t.Helper()
	// A new file, as most tools make one: the old content is never half replaced.
	path := filepath.Join(f.dir, name)
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		f.t.Fatal(err)
	}
}

func (f folder) load(node uint64, now func() time.Time) (*Credentials, error) {
	return loadCredentials(node, filepath.Join(f.dir, "node.crt"), filepath.Join(f.dir, "node.key"),
		filepath.Join(f.dir, "ca.crt"), now)
}

// newFolder has a certificate of an authority, which it trusts.
func newFolder(t *testing.T, a authority, change func(*x509.Certificate)) folder {
	t.Helper()
	f := folder{t, t.TempDir()}
	certificate, key := a.sign(change)
	f.write("node.crt", certificate)
	f.write("node.key", key)
	f.write("ca.crt", a.pem())
	return f
}

func forNode(node uint64) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.URIs = []*url.URL{nodeURI(node)} }
}

func mustLoad(t *testing.T, f folder, node uint64, now func() time.Time) *Credentials {
	t.Helper()
	c, err := f.load(node, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNodesWithFilesTalk(t *testing.T) {
	now := newClock().now
	a := newTestAuthority(t, now)
	named, unnamed := mustLoad(t, newFolder(t, a, forNode(nodeA)), nodeA, now), mustLoad(t, newFolder(t, a, nil), nodeB,
		now)
	atServer, atClient, err := talk(t, named.Server(), unnamed.Client())
	if err != nil {
		t.Fatal(err)
	}
	if node, err := NodeOf(atServer); node != 0 || err != nil {
		t.Errorf("a certificate without node id tells %x, %v", node, err)
	}
	if node, err := NodeOf(atClient); node != nodeA || err != nil {
		t.Errorf("the other side is %x, %v; want %x", node, err, nodeA)
	}
	stranger := mustLoad(t, newFolder(t, newTestAuthority(t, now), nil), nodeB, now).Client()
	stranger.VerifyConnection = nil
	if _, _, err := talk(t, named.Server(), stranger); !errors.Is(err, ErrUntrusted) {
		t.Errorf("a certificate of another authority: %v", err)
	}
}

// A certificate by the secret always names its node: without that, one of an authority with other
// habits would pass.
func TestSecretWantsNames(t *testing.T) {
	now := newClock().now
	s := mustSecrets(t, oldText)
	certificate, err := newAuthority(s.derived[0].authority)
	if err != nil {
		t.Fatal(err)
	}
	a := authority{t, now, s.derived[0].authority, certificate}
	unnamed := mustLoad(t, newFolder(t, a, nil), nodeB, now)
	if _, _, err := talk(t, mustCredentials(t, s, nodeA, now).Server(), unnamed.Client()); err == nil ||
		!strings.Contains(err.Error(), "names no node") {
		t.Errorf("got %v", err)
	}
}

func TestFilesAreRefused(t *testing.T) {
	now := newClock().now
	a := newTestAuthority(t, now)
	certificate, _ := a.sign(nil)
	for name, test := range map[string]struct {
		file    string
		content []byte
		change  func(*x509.Certificate)
		says    string
	}{
		"another node": {change: forNode(nodeB), says: "it is for node f00dfeedcafebabe, this is node " +
			"00000000000000a7"},
		"expired": {change: func(c *x509.Certificate) { c.NotAfter = now().Add(-time.Minute) },
			says: "expired"},
		"for servers only": {change: func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[:1] },
			says: "for clients and servers both"},
		"another key":        {file: "node.crt", content: certificate, says: "private key does not match"},
		"another authority":  {file: "ca.crt", content: newTestAuthority(t, now).pem(), says: "unknown authority"},
		"no authority":       {file: "ca.crt", content: []byte("none"), says: "holds no certificate"},
		"broken certificate": {file: "node.crt", content: []byte("none"), says: "PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t, a, test.change)
			if test.file != "" {
				f.write(test.file, test.content)
			}
			if _, err := f.load(nodeA, now); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %q", err, test.says)
			}
		})
	}
	if _, err := (folder{t, t.TempDir()}).load(nodeA, now); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("files that are not there: %v", err)
	}
}

// TestBadFilesAreReportedOnce: an operator who replaced certificates by ones that can't be used
// is notified, but not every second.
func TestBadFilesAreReportedOnce(t *testing.T) {
	clock := newClock()
	f := newFolder(t, newTestAuthority(t, clock.now), nil)
	c, lines := mustLoad(t, f, nodeA, clock.now), &bytes.Buffer{}
	log := slog.New(slog.NewTextHandler(lines, nil))
	f.write("node.key", nil)
	said := ""
	for range 3 {
		clock.Time = clock.Add(time.Second)
		said = c.Report(log, said)
	}
	if n := strings.Count(lines.String(), "cluster.tls"); n != 1 {
		t.Errorf("reported %d times: %s", n, lines)
	}
}

func TestFilesAreReadAgain(t *testing.T) {
	clock := newClock()
	a := newTestAuthority(t, clock.now)
	f := newFolder(t, a, nil)
	c := mustLoad(t, f, nodeA, clock.now)
	shown := func() *tls.Certificate {
		certificate, err := c.source.certificate()
		if err != nil {
			t.Fatal(err)
		}
		return certificate
	}
	first := shown()

	certificate, key := a.sign(nil)
	f.write("node.crt", certificate)
	if shown() != first {
		t.Error("the files are looked at more than once a second")
	}
	clock.Time = clock.Add(time.Second)
	if shown() != first || c.Check() == nil {
		t.Error("a certificate without its key is used, or not reported")
	}
	f.write("node.key", key)
	clock.Time = clock.Add(time.Second)
	second := shown()
	if second == first || c.Check() != nil {
		t.Errorf("the new files are not used: %v", c.Check())
	}

	other := newTestAuthority(t, clock.now)
	f.write("ca.crt", append(other.pem(), a.pem()...))
	clock.Time = clock.Add(time.Second)
	joined := mustLoad(t, newFolder(t, other, nil), nodeB, clock.now)
	lenient := joined.Client()
	lenient.VerifyConnection = nil
	if _, _, err := talk(t, c.Server(), lenient); err != nil {
		t.Errorf("the new authority is not trusted: %v", err)
	}

	if err := os.Remove(filepath.Join(f.dir, "node.key")); err != nil {
		t.Fatal(err)
	}
	clock.Time = clock.Add(time.Second)
	before := shown()
	if err := c.Check(); !errors.Is(err, os.ErrNotExist) || before == nil {
		t.Errorf("a file that is gone: %v", err)
	}
	f.write("node.key", key)
	clock.Time = clock.Add(time.Second)
	if err := c.Check(); err != nil {
		t.Errorf("a file that is back: %v", err)
	}
}
