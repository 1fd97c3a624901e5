package trust

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// checkFiles is how often files are looked at, at most.
const checkFiles = time.Second

// LoadCredentials reads a node's certificate, its key and the authorities that it trusts from PEM
// files, instead of making them of a secret. Whoever has a certificate of these authorities is a
// node: they must be ones for this cluster alone. Certificates must be for clients and servers
// both. A URI such as wactor://node/00000000000000a7 ties one to a node id; without it the id is
// "not told" (see NodeOf).
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
	f := &files{node: node, now: now, names: [...]string{certFile, keyFile, caFile}}
	if err := f.check(); err != nil {
		return nil, err
	}
	return &Credentials{source: f, now: now}, nil
}

// files reads certificates from disk.
type files struct {
	node  uint64
	now   func() time.Time
	names [3]string // certificate, key, authorities

	mu      sync.Mutex
	checked time.Time
	seen    [3]os.FileInfo
	current *tls.Certificate
	pool    *x509.CertPool
	err     error
}

func (f *files) certificate() (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	return f.current, nil
}

func (f *files) roots() *x509.CertPool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	return f.pool
}

func (f *files) check() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	return f.err
}

// refresh reads the files where they have changed, or could not be used before: whoever replaces
// them writes one after the other.
func (f *files) refresh() {
	now := f.now()
	if passed := now.Sub(f.checked); passed >= 0 && passed < checkFiles {
		return
	}
	f.checked = now
	// The files are looked at before they are read: a change in between is seen the next time.
	seen, err := f.stat()
	if err == nil && f.err == nil && f.unchanged(seen) {
		return
	}
	if err == nil {
		err = f.read(now)
	}
	if f.err = err; err != nil {
		f.err = fmt.Errorf("trust: load credentials: %w", err)
		return
	}
	f.seen = seen
}

func (f *files) stat() (seen [3]os.FileInfo, err error) {
	for i, name := range f.names {
		if seen[i], err = os.Stat(name); err != nil {
			return seen, err
		}
	}
	return seen, nil
}

func (f *files) unchanged(seen [3]os.FileInfo) bool {
	for i, before := range f.seen {
		if before == nil || !os.SameFile(before, seen[i]) || before.Size() != seen[i].Size() ||
			!before.ModTime().Equal(seen[i].ModTime()) {
			return false
		}
	}
	return true
}

// read takes the files into use if others that have them would accept this node.
func (f *files) read(now time.Time) error {
	certificate, err := tls.LoadX509KeyPair(f.names[0], f.names[1])
	if err != nil {
		return err
	}
	authorities, err := os.ReadFile(f.names[2])
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authorities) {
		return fmt.Errorf("%s holds no certificate", f.names[2])
	}
	if err := f.accept(certificate, pool, now); err != nil {
		return fmt.Errorf("%s: %w", f.names[0], err)
	}
	f.current, f.pool = &certificate, pool
	return nil
}

func (f *files) accept(certificate tls.Certificate, pool *x509.CertPool, now time.Time) error {
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
	case node != 0 && node != f.node:
		return fmt.Errorf("it is for node %016x, this is node %016x", node, f.node)
	}
	return nil
}
