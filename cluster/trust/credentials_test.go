package trust

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"
)

const (
	nodeA = 0xa7
	nodeB = 0xf00dfeedcafebabe
)

// clock is a time that tests set.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func newClock() *clock { return &clock{time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)} }

func mustCredentials(t *testing.T, s *Secrets, node uint64, now func() time.Time) *Credentials {
	t.Helper()
	c, err := s.credentials(node, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// talk connects a client to a server and says a word in each direction. It returns what each side
// knows of the other.
func talk(t *testing.T, server, client *tls.Config) (atServer, atClient tls.ConnectionState, err error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	served := make(chan error, 1)
	go func() {
		served <- func() error {
			raw, err := listener.Accept()
			if err != nil {
				return err
			}
			conn := tls.Server(raw, server)
			defer conn.Close()
			if err := echo(conn, "server"); err != nil {
				return err
			}
			atServer = conn.ConnectionState()
			return nil
		}()
	}()
	raw, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(raw, client)
	err = echo(conn, "client")
	atClient = conn.ConnectionState()
	conn.Close()
	err = errors.Join(<-served, err)
	return atServer, atClient, err
}

func echo(conn *tls.Conn, who string) error {
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if err := conn.Handshake(); err != nil {
		return fmt.Errorf("%s: %w", who, err)
	}
	if _, err := conn.Write([]byte{1}); err != nil {
		return fmt.Errorf("%s: %w", who, err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("%s: %w", who, err)
	}
	return nil
}

func TestNodesOfOneSecretTalk(t *testing.T) {
	now := newClock().now
	s := mustSecrets(t, oldText)
	a, b := mustCredentials(t, s, nodeA, now), mustCredentials(t, mustSecrets(t, oldText), nodeB, now)
	atServer, atClient, err := talk(t, a.Server(), b.Client())
	if err != nil {
		t.Fatal(err)
	}
	for _, side := range []struct {
		state tls.ConnectionState
		want  uint64
	}{{atServer, nodeB}, {atClient, nodeA}} {
		if node, err := NodeOf(side.state); err != nil || node != side.want {
			t.Errorf("the other side is %x, %v; want %x", node, err, side.want)
		}
		if side.state.Version != tls.VersionTLS13 || side.state.NegotiatedProtocol != "h2" {
			t.Errorf("version %x, protocol %q", side.state.Version, side.state.NegotiatedProtocol)
		}
	}
	if err := a.Check(); err != nil {
		t.Error(err)
	}
}

func TestStrangersAreRefused(t *testing.T) {
	now := newClock().now
	s := mustSecrets(t, oldText)
	mine := mustCredentials(t, s, nodeA, now)
	other := mustCredentials(t, mustSecrets(t, newText), nodeB, now)
	trusting := func(c *tls.Config) *tls.Config { // does not check, and so the other side has to
		c.VerifyConnection = nil
		return c
	}
	without := mine.Client()
	without.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate,
		error) {
		return &tls.Certificate{}, nil
	}
	old := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12,
		GetClientCertificate: mine.Client().GetClientCertificate}
	oldServer := trusting(mine.Server())
	oldServer.MinVersion, oldServer.MaxVersion = tls.VersionTLS12, tls.VersionTLS12

	for name, test := range map[string]struct {
		server, client *tls.Config
		says           string
	}{
		"client of another secret": {mine.Server(), trusting(other.Client()),
			"server: trust: the other side is not trusted: it has another secret"},
		"server of another secret": {trusting(other.Server()), mine.Client(),
			"client: trust: the other side is not trusted: it has another secret"},
		"client on a loopback's secret": {mine.Server(), trusting(mustCredentials(t, Public(), nodeB, now).Client()),
			"another secret"},
		"client without certificate": {mine.Server(), without, "didn't provide a certificate"},
		"client of TLS 1.2":          {mine.Server(), old, "protocol version"},
		"server of TLS 1.2":          {oldServer, mine.Client(), "protocol version"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := talk(t, test.server, test.client)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("got %v, want %q", err, test.says)
			}
			if strings.Contains(test.says, "secret") && !errors.Is(err, ErrUntrusted) {
				t.Errorf("%v is no ErrUntrusted", err)
			}
		})
	}
}

func TestCertificatesEnd(t *testing.T) {
	s := mustSecrets(t, oldText)
	for name, test := range map[string]struct {
		ahead   time.Duration // of the clock of the one who checks
		refused bool
	}{
		"an hour behind":      {-time.Hour, false},
		"two hours behind":    {-2 * time.Hour, true},
		"eleven months on":    {330 * 24 * time.Hour, false},
		"a year and a bit on": {366 * 24 * time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			shown, checked := newClock(), newClock()
			checked.Time = checked.Add(test.ahead)
			server, client := mustCredentials(t, s, nodeA, checked.now), mustCredentials(t, s, nodeB, shown.now)
			lenient := client.Client()
			lenient.VerifyConnection = nil
			_, _, err := talk(t, server.Server(), lenient)
			if refused := errors.Is(err, ErrUntrusted); refused != test.refused || (err != nil) != test.refused {
				t.Errorf("got %v, want refused %v", err, test.refused)
			}
		})
	}
}

func TestCertificatesAreRenewed(t *testing.T) {
	time := newClock()
	i := mustCredentials(t, mustSecrets(t, oldText), nodeA, time.now).source.(*issuer)
	shown := func() *tls.Certificate {
		certificate, err := i.certificate()
		if err != nil {
			t.Fatal(err)
		}
		return certificate
	}
	first := shown()
	if got := first.Leaf.NotAfter.Sub(first.Leaf.NotBefore); got != certificateLifetime {
		t.Errorf("valid for %v", got)
	}
	if got := time.Sub(first.Leaf.NotBefore); got != certificateEarly {
		t.Errorf("valid since %v before now", got)
	}
	time.Time = first.Leaf.NotBefore.Add(certificateRenewal - 1)
	if shown() != first {
		t.Error("renewed too early")
	}
	time.Time = time.Add(1)
	second := shown()
	if second == first || bytes.Equal(second.Leaf.RawSubjectPublicKeyInfo, first.Leaf.RawSubjectPublicKeyInfo) ||
		second.Leaf.SerialNumber.Cmp(first.Leaf.SerialNumber) == 0 {
		t.Error("not renewed with a new key after two thirds of the time")
	}
	time.Time = first.Leaf.NotBefore
	if shown() == second {
		t.Error("shows a certificate that is not valid yet after the clock went back")
	}
}

func TestSecretIsReplacedNodeByNode(t *testing.T) {
	now := newClock().now
	steps := [][]string{{oldText}, {oldText, newText}, {newText, oldText}, {newText}}
	var nodes [3]*Credentials
	for i := range nodes {
		nodes[i] = mustCredentials(t, mustSecrets(t, steps[0]...), uint64(i+1), now)
	}
	for _, texts := range steps[1:] {
		for i := range nodes {
			nodes[i] = mustCredentials(t, mustSecrets(t, texts...), uint64(i+1), now)
			for _, server := range nodes {
				for _, client := range nodes {
					if _, _, err := talk(t, server.Server(), client.Client()); err != nil {
						t.Fatalf("node %d has %q: %v", i+1, texts, err)
					}
				}
			}
		}
	}
	gone := mustCredentials(t, mustSecrets(t, oldText), 9, now)
	if _, _, err := talk(t, nodes[0].Server(), gone.Client()); !errors.Is(err, ErrUntrusted) {
		t.Errorf("the old secret is still taken: %v", err)
	}
}

func TestAuthorityIsTheSameEverywhere(t *testing.T) {
	key := mustSecrets(t, oldText).derived[0].authority
	first, err := newAuthority(key)
	if err != nil {
		t.Fatal(err)
	}
	second, err := newAuthority(key)
	if err != nil {
		t.Fatal(err)
	}
	if !first.Equal(second) {
		t.Error("two nodes make different certificates of one authority")
	}
}

func TestNodeOf(t *testing.T) {
	for name, test := range map[string]struct {
		uris  []string
		node  uint64
		fails bool
	}{
		"one":          {[]string{"wactor://node/00000000000000a7"}, 0xa7, false},
		"greatest":     {[]string{"wactor://node/ffffffffffffffff"}, 1<<64 - 1, false},
		"among others": {[]string{"spiffe://shop/wactor", "wactor://node/00000000000000a7"}, 0xa7, false},
		"none":         {nil, 0, false},
		"others only":  {[]string{"spiffe://shop/node/00000000000000a7"}, 0, false},
		"zero":         {[]string{"wactor://node/0000000000000000"}, 0, true},
		"several":      {[]string{"wactor://node/00000000000000a7", "wactor://node/00000000000000a8"}, 0, true},
		"short":        {[]string{"wactor://node/a7"}, 0, true},
		"upper case":   {[]string{"wactor://node/00000000000000A7"}, 0, true},
		"too large":    {[]string{"wactor://node/10000000000000000"}, 0, true},
		"no number":    {[]string{"wactor://node/first"}, 0, true},
		"another host": {[]string{"wactor://shard/00000000000000a7"}, 0, true},
		"a query":      {[]string{"wactor://node/00000000000000a7?x"}, 0, true},
		"a user":       {[]string{"wactor://me@node/00000000000000a7"}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			certificate := &x509.Certificate{}
			for _, text := range test.uris {
				uri, err := url.Parse(text)
				if err != nil {
					t.Fatal(err)
				}
				certificate.URIs = append(certificate.URIs, uri)
			}
			node, err := NodeOf(tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificate}})
			if node != test.node || (err != nil) != test.fails {
				t.Errorf("got %x, %v", node, err)
			}
		})
	}
	if _, err := NodeOf(tls.ConnectionState{}); err == nil {
		t.Error("a connection without certificate has a node")
	}
}

func TestThereIsNoNodeZero(t *testing.T) {
	if _, err := Public().Credentials(0); err == nil {
		t.Error("node 0 got a certificate")
	}
	if _, err := LoadCredentials(0, "", "", ""); err == nil {
		t.Error("node 0 loads a certificate")
	}
}
