package node

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wactor/wactor/config"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/cloudapi"
)

// TestASecretIsReplacedInItsFile: a channel that was held for an expired token goes on by itself,
// and webhooks under a new app secret are taken, without a restart.
func TestASecretIsReplacedInItsFile(t *testing.T) {
	w := newWorld(t)
	graph := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer good" {
			rw.WriteHeader(http.StatusUnauthorized)
			_, _ = rw.Write([]byte(`{"error":{"code":190,"type":"OAuthException","message":"expired"}}`))
			return
		}
		_, _ = rw.Write([]byte(`{"messages":[{"id":"wamid.out"}]}`))
	}))
	defer graph.Close()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("token", "expired")
	write("secret", "another-secret")
	cfg := w.counter()
	source := `node: { name: n, data_dir: data }
channels:
  - { name: shop, provider: whatsapp_cloud, phone_number_id: "1", verify_token: a, app_secret: "${file:secret}",
      access_token: "${file:token}", bot: b }
bots: { b: { http: { url: "http://127.0.0.1:1" } } }
`
	read, err := config.Parse(filepath.Join(dir, "x.yaml"), []byte(source), os.LookupEnv, os.ReadFile, Kinds())
	if err != nil {
		t.Fatal(err)
	}
	settings := cfg.Channels[0].Settings.(*cloudapi.Settings)
	files := read.Channels[0].Settings.(*cloudapi.Settings)
	settings.AccessToken, settings.AppSecret, settings.GraphURL = files.AccessToken, files.AppSecret, graph.URL
	n := w.start(cfg)
	if status := w.send(n, "4915100000001", "wamid.1", "hello"); status != http.StatusUnauthorized {
		t.Fatalf("under another app's secret: %d", status)
	}
	write("secret", testSecret)
	await(t, "the new app secret", func() bool {
		return w.send(n, "4915100000001", "wamid.1", "hello") == http.StatusOK
	})
	await(t, "the channel is held", func() bool {
		since, _ := n.serving.now().channels[0].sender.Held()
		return !since.IsZero()
	})
	write("token", "good")
	// its replies are tried again within half a minute; this one asks the sender itself
	await(t, "the new token", func() bool {
		out := &provider.Outgoing{ReplyID: "r", To: &wactorv1.User{WaId: "1"},
			Reply: &wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: "x"}}}
		return n.serving.now().channels[0].sender.Send(t.Context(), out).Outcome == provider.Sent
	})
	if since, _ := n.serving.now().channels[0].sender.Held(); !since.IsZero() {
		t.Error("the channel is still held")
	}
	if err := os.Remove(filepath.Join(dir, "token")); err != nil {
		t.Fatal(err)
	}
	failed := ""
	again, changed := config.Reread(settings, func(key string, changed bool, err error) {
		if err != nil {
			failed += key
		}
	})
	if token := again.(*cloudapi.Settings).AccessToken.Reveal(); failed != "access_token" || token != "expired" ||
		!changed { // the app secret has
		t.Errorf("a file that is gone: %q failed, token %q, changed %v", failed, token, changed)
	}
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for began := time.Now(); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatal(what)
		}
	}
}
