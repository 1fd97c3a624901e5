package trust

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/wactor/wactor/internal/fresh"
)

// LoadCredentials reads a node's certificate, its key and the authorities that it trusts from PEM
// files, instead of making them of a secret. A holder of a certificate of these authorities is a
// node: they must be ones for this cluster alone. Certificates must be for clients and servers
// both. A URI such as wactor://node/00000000000000a7 ties one to a node id; without it NodeOf
// returns 0.
//
// The files are read again when they have changed. Where they can't be used then, the ones before
// stay in use; see Check.
func LoadCredentials(node uint64, certFile, keyFile, caFile string) (*Credentials, error) {
	return loadCredentials(node, certFile, keyFile, caFile, time.Now)
}

func loadCredentials(node uint64, certFile, keyFile, caFile string, now func() time.Time) (*Credentials, error) {
	if node == 0 {
		return nil, errNoNode
	}
	read := func() (material, error) { return readMaterial(node, certFile, keyFile, caFile, now()) }
	f, err := fresh.Open(read, now, certFile, keyFile, caFile)
	if err != nil {
		return nil, fmt.Errorf("trust: load credentials: %w", err)
	}
	return &Credentials{source: files{f}, now: now}, nil
}

// material is what the files hold.
type material struct {
	certificate *tls.Certificate
	authorities *x509.CertPool
}

// files reads certificates from disk.
type files struct{ *fresh.Files[material] }

func (f files) certificate() (*tls.Certificate, error) {
	m, _ := f.Get()
	return m.certificate, nil
}

func (f files) roots() *x509.CertPool {
	m, _ := f.Get()
	return m.authorities
}

func (f files) check() error {
	if _, err := f.Get(); err != nil {
		return fmt.Errorf("trust: load credentials: %w", err)
	}
	return nil
}

// readMaterial returns what the files hold, if other nodes that have them would accept this node.
func readMaterial(node uint64, certFile, keyFile, caFile string, now time.Time) (material, error) {
	certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return material{}, err
	}
	authorities, err := os.ReadFile(caFile)
	if err != nil {
		return material{}, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authorities) {
		return material{}, fmt.Errorf("%s holds no certificate", caFile)
	}
	if err := accept(node, certificate, pool, now); err != nil {
		return material{}, fmt.Errorf("%s: %w", certFile, err)
	}
	return material{&certificate, pool}, nil
}

func accept(self uint64, certificate tls.Certificate, pool *x509.CertPool, now time.Time) error {
	chain := make([]*x509.Certificate, len(certificate.Certificate))
	for i, encoded := range certificate.Certificate {
		var err error
		if chain[i], err = x509.ParseCertificate(encoded); err != nil {
			return err
		}
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth} {
		if err := verifyChain(chain, pool, now, usage); err != nil {
			return errors.Join(err, errors.New("it must be valid under the authorities, for clients and servers both"))
		}
	}
	switch node, err := nodeOf(chain[0]); {
	case err != nil:
		return err
	case node != 0 && node != self:
		return fmt.Errorf("it is for node %016x, this is node %016x", node, self)
	}
	return nil
}
