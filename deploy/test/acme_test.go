package deploytest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/letsencrypt/challtestsrv"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

// TestCertificateOfAnAuthority: a node with listen.acme gets its certificate from an ACME server,
// which checks by TLS-ALPN-01 that the name leads to the node, and answers webhooks with it.
func TestCertificateOfAnAuthority(t *testing.T) {
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	dir := t.TempDir()
	program := binary(t, dir)
	ports := freePorts(t, 4)
	names, err := challtestsrv.New(challtestsrv.Config{
		DNSAddrs: []string{fmt.Sprintf("127.0.0.1:%d", ports[2])}, Log: log.New(io.Discard, "", 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	names.AddDNSARecord("bot.example.com.", []string{"127.0.0.1"})
	names.SetDefaultDNSIPv6("")
	go names.Run()
	t.Cleanup(names.Shutdown)

	logger := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	authority := ca.New(logger, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "default"}})
	checks := va.New(logger, ports[3], ports[0], false, fmt.Sprintf("127.0.0.1:%d", ports[2]), store)
	front := wfe.New(logger, store, checks, authority, []string{"example.com"}, false, false, 0, 0)
	server := httptest.NewTLSServer(front.Handler())
	t.Cleanup(server.Close)
	root := filepath.Join(dir, "root.pem")
	write(t, root, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))

	write(t, filepath.Join(dir, "flow.yaml"), string(read(t, "examples/counter/flow.yaml")))
	configuration := filepath.Join(dir, "wactor.yaml")
	write(t, configuration, fmt.Sprintf(`node: { name: a, data_dir: data }
listen:
  http: "127.0.0.1:%d"
  admin: "127.0.0.1:%d"
  acme: { domains: [bot.example.com], directory: "%s/dir", root: %s }
channels: [{ name: shop, provider: whatsapp_cloud, phone_number_id: "1", verify_token: verify, app_secret: s, access_token: t, bot: first }]
bots: { first: { flow: flow.yaml } }
`, ports[0], ports[1], server.URL, root))
	output, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	said := func() string {
		text, _ := os.ReadFile(output.Name())
		return string(text)
	}
	node := exec.Command(program, "serve", "-c", configuration)
	node.Stdout, node.Stderr = output, output
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = node.Process.Signal(syscall.SIGTERM)
		_ = node.Wait()
	}()
	trusted := x509.NewCertPool()
	trusted.AddCert(authority.GetRootCert(0).Cert)
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: "bot.example.com"},
	}}
	address := fmt.Sprintf("https://127.0.0.1:%d/webhooks/shop?hub.mode=subscribe&hub.verify_token=verify&hub.challenge=42", ports[0])
	deadline := time.Now().Add(2 * time.Minute)
	for {
		response, err := client.Get(address)
		if err == nil {
			body, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if string(body) != "42" || response.ProtoMajor != 2 {
				t.Errorf("answered %s %q over %s", response.Status, body, response.Proto)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no certificate: %v\n%s", err, said())
		}
		time.Sleep(100 * time.Millisecond)
	}
	if !strings.Contains(said(), "certificate obtained") {
		t.Errorf("the log does not say that there is a certificate:\n%s", said())
	}
}

func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}
