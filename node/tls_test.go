package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wactor/wactor/config"
)

// TestWebhooksOverTLS: with listen.tls the public listener speaks TLS and HTTP/2, and nothing else.
func TestWebhooksOverTLS(t *testing.T) {
	w := newWorld(t)
	cert, key := filepath.Join(w.dir, "cert.pem"), filepath.Join(w.dir, "key.pem")
	roots := selfSigned(t, cert, key)
	cfg := w.counter("")
	cfg.Listen.TLS = &config.ListenTLS{Cert: cert, Key: key}
	n := w.start(cfg)
	defer w.stop(n)
	client := &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "bot.example.com"},
	}}
	defer client.CloseIdleConnections()
	response, err := client.Get("https://" + n.HTTPAddr() +
		"/webhooks/shop?hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden || response.ProtoMajor != 2 {
		t.Errorf("answered %s over %s", response.Status, response.Proto)
	}
	if response, err := http.Get("http://" + n.HTTPAddr() + "/webhooks/shop"); err == nil {
		response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("without TLS: %s", response.Status)
		}
	}
}

// selfSigned writes a certificate of its own authority and returns that.
func selfSigned(t *testing.T, cert, key string) *x509.CertPool {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"bot.example.com"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string][]byte{cert: chain, key: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY",
		Bytes: encoded})} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(chain)
	return pool
}
