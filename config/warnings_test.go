package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// load writes a configuration and reads it.
func load(t *testing.T, dir, source string) (*Config, error) {
	t.Helper()
	file := filepath.Join(dir, "x.yaml")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(file, func(string) (string, bool) { return "", false }, kinds)
}

const strong = "0123456789abcdef0123456789abcdef"

func TestWhatIsLikelyAMistakeIsWarnedOf(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"open": 0o644, "closed": 0o600} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(strong+"\n"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
	c, err := load(t, dir, `node: { name: n, data_dir: data }
admin: { token: aaaaaaaaaaaaaaaaaaaa, principals: { ana: { role: viewer, token: abcabcabcabcabcabc } } }
channels:
  - name: shop
    provider: whatsapp_cloud
    phone_number_id: "1"
    verify_token: word
    app_secret: short
    access_token: "${file:open}"
    graph_url: http://graph.example/v26.0
    bot: far
  - name: bank
    provider: whatsapp_cloud
    phone_number_id: "2"
    verify_token: word
    app_secret: `+strong+`
    access_token: "${file:closed}"
    graph_url: http://[::1]:9000/v26.0
    bot: near
bots:
  far: { http: { url: "http://bot.example/turn", secret: "${file:closed}" }, on_failure: { reply: sorry } }
  near: { http: { url: "http://127.0.0.1:3000/turn" } }
`)
	if err != nil {
		t.Fatal(err)
	}
	want := `2:17: admin.token: is weak: one character, repeated (make one with: openssl rand -hex 32)
2:81: admin.principals.ana.token: is weak: only 3 different characters (make one with: openssl rand -hex 32)
8:17: channels[0].app_secret: is weak: shorter than 16 characters (make a longer one, or copy it again)
9:19: channels[0].access_token: is in a file that every user of this machine can read (mode 0644) (chmod 600 it)
10:16: channels[0].graph_url: is plain http to another machine (use https, or a tunnel to this machine)
21:23: bots.far.http.url: is plain http to another machine (use https, or a tunnel to this machine)
21:23: bots.far.http.url: is on another machine, which can't open links to files: they begin with http://127.0.0.1:8080 (set media.url to the address under which bots reach listen.http)
22:3: bots.near.on_failure.reply: is not set: a user whose message the bot fails on gets no answer (set on_failure: { reply: ... })`
	got := strings.ReplaceAll(c.Warnings.Error(), filepath.Join(dir, "x.yaml")+":", "")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

const rest = `
channels:
  - { name: shop, provider: whatsapp_cloud, phone_number_id: "1", verify_token: a, app_secret: b, access_token: c, bot: e }
bots: { e: { http: { url: "http://127.0.0.1:3000" } } }
`

// TestCheckRejectsWhatServeRejects: a secret of spaces, one of few two-byte letters, and files of
// certificates that a node can't use.
func TestCheckRejectsWhatServeRejects(t *testing.T) {
	dir := t.TempDir()
	writePair(t, dir, "a")
	writePair(t, dir, "b")
	if err := os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	withTLS := func(cert, key, ca string) string {
		return "cluster: { secret: " + strong + ", tls: { cert: " + cert + ", key: " + key + ", ca: " + ca + " } }"
	}
	for _, c := range []struct{ source, want string }{
		{`cluster: { secret: "` + strings.Repeat(" ", 20) + `" }`, "cluster.secret: is shorter than 16 characters"},
		{`cluster: { secret: "` + strings.Repeat("ä", 15) + `" }`, "cluster.secret: is shorter than 16 characters"},
		{withTLS("a.pem", "b.key", "a.pem"), "cluster.tls.cert: can't be used with its key"},
		{withTLS("none.pem", "b.key", "a.pem"), "none.pem: no such file"},
		{withTLS("a.pem", "a.key", "none.pem"), "cluster.tls.ca: can't be read"},
		{withTLS("a.pem", "a.key", "empty"), "cluster.tls.ca: holds no certificate"},
		{withTLS("a.pem", "a.key", "a.pem"), ""},
	} {
		_, err := load(t, dir, c.source+rest)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.source, err, c.want)
		}
	}
}

// writePair writes a certificate and its key.
func writePair(t *testing.T, dir, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		name + ".pem": {Type: "CERTIFICATE", Bytes: cert}, name + ".key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
