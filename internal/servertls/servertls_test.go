package servertls

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pair is a self-signed certificate with its key.
type pair struct{ certificate, key []byte }

func newPair(t *testing.T, name string) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pair{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded})}
}

func (p pair) write(t *testing.T, f Files, age time.Duration) {
	t.Helper()
	for name, text := range map[string][]byte{f.Cert: p.certificate, f.Key: p.key} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		stamp := time.Now().Add(-age)
		if err := os.Chtimes(name, stamp, stamp); err != nil {
			t.Fatal(err)
		}
	}
}

// handshake returns the name that the server shows and the protocol that it chooses.
func handshake(t *testing.T, server *tls.Config, client *tls.Config) (name, protocol string, err error) {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	failed := make(chan error, 1)
	go func() { failed <- tls.Server(a, server).Handshake() }()
	client.InsecureSkipVerify = true
	client.NextProtos = []string{"h2", "http/1.1"}
	c := tls.Client(b, client)
	if err := c.Handshake(); err != nil {
		return "", "", err
	}
	// The server's verdict on a client's certificate comes after the client's part is done.
	go func() { _, _ = io.Copy(io.Discard, c) }()
	if err := <-failed; err != nil {
		return "", "", err
	}
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName, c.ConnectionState().NegotiatedProtocol, nil
}

// TestFilesAreFollowed: a renewed certificate is shown without a restart, HTTP/2 is offered, and
// files that do not fit together leave the one before in use.
func TestFilesAreFollowed(t *testing.T) {
	dir := t.TempDir()
	f := Files{Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key")}
	newPair(t, "one.example").write(t, f, time.Hour)
	config, err := FromFiles(f)
	if err != nil {
		t.Fatal(err)
	}
	if name, protocol, err := handshake(t, config, &tls.Config{}); name != "one.example" || protocol != "h2" ||
		err != nil {
		t.Errorf("got %s, %s, %v", name, protocol, err)
	}
	newPair(t, "two.example").write(t, f, time.Minute)
	if err := os.WriteFile(f.Key, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // files are looked at once a second
	if name, _, err := handshake(t, config, &tls.Config{}); name != "one.example" || err != nil {
		t.Errorf("with a broken key: %s, %v", name, err)
	}
	newPair(t, "three.example").write(t, f, 0)
	deadline := time.Now().Add(time.Minute)
	for name := ""; name != "three.example"; time.Sleep(50 * time.Millisecond) {
		if name, _, err = handshake(t, config, &tls.Config{}); err != nil || time.Now().After(deadline) {
			t.Fatalf("the renewed certificate is not shown: %s, %v", name, err)
		}
	}
}

// TestClientsMustShowACertificate of the authorities that are named, where some are.
func TestClientsMustShowACertificate(t *testing.T) {
	dir := t.TempDir()
	f := Files{Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key"), ClientCA: filepath.Join(dir, "ca")}
	newPair(t, "server.example").write(t, f, 0)
	provider := newPair(t, "provider.example")
	if err := os.WriteFile(f.ClientCA, provider.certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := FromFiles(f)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := tls.X509KeyPair(provider.certificate, provider.key)
	if err != nil {
		t.Fatal(err)
	}
	show := func(c tls.Certificate) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c, nil }
	}
	if _, _, err := handshake(t, config, &tls.Config{GetClientCertificate: show(certificate)}); err != nil {
		t.Errorf("the provider's certificate: %v", err)
	}
	stranger := newPair(t, "stranger.example")
	if certificate, err = tls.X509KeyPair(stranger.certificate, stranger.key); err != nil {
		t.Fatal(err)
	}
	for what, client := range map[string]*tls.Config{"none": {},
		"a stranger's": {GetClientCertificate: show(certificate)}} {
		if _, _, err := handshake(t, config, client); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
}

func TestFilesThatCannotBeUsedAreNamed(t *testing.T) {
	dir := t.TempDir()
	f := Files{Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key")}
	if _, err := FromFiles(f); err == nil || !strings.Contains(err.Error(), f.Cert) {
		t.Errorf("no files: %v", err)
	}
	newPair(t, "a.example").write(t, f, 0)
	f.ClientCA = f.Key
	if _, err := FromFiles(f); err == nil || !strings.Contains(err.Error(), f.ClientCA+" holds no certificate") {
		t.Errorf("authorities that are none: %v", err)
	}
	if _, err := FromACME(t.Context(), ACME{Root: f.Key}, nil); err == nil {
		t.Error("a root that is none was taken")
	}
}
