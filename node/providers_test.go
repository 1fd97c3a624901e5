package node

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/internal/problem"
	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/providertest"
)

// TestAProviderIsOneLine: with its line in the table, a provider's keys are decoded and validated,
// its webhooks reach the bot, and its sender gets the replies.
func TestAProviderIsOneLine(t *testing.T) {
	before := providers
	t.Cleanup(func() { providers = before })
	sent := make(chan string, 1)
	providers = append(providers[:len(providers):len(providers)], kind{name: "toy", settings: providertest.NewToy,
		sender: func(provider.Settings, provider.Signs) provider.Sender {
			return providertest.ToySender{Sent: func(to, text string) { sent <- to + " " + text }}
		}})

	w := newWorld(t)
	w.counter()
	parse := func(keys string) (*config.Config, error) {
		return config.Parse(filepath.Join(w.dir, "x.yaml"), []byte(`
node: { name: node-1, data_dir: data }
listen: { http: "127.0.0.1:0", admin: "127.0.0.1:0" }
channels:
  - { name: shop, provider: toy, bot: b, `+keys+` }
bots: { b: { flow: flow.yaml } }
`), os.LookupEnv, os.ReadFile, Kinds())
	}
	_, err := parse(`secret: "a b", phone_number_id: "1"`)
	want := []string{
		"5:5: channels[0].line: is required (name the line)",
		"5:50: channels[0].secret: holds a space, a line break or another character that is in no such secret",
		"5:57: channels[0].phone_number_id: unknown key",
	}
	var problems problem.List
	if !errors.As(err, &problems) || len(problems) != len(want) {
		t.Fatalf("problems: %v", err)
	}
	for i, p := range problems {
		if !strings.Contains(p.String(), want[i]) {
			t.Errorf("%v, want %s", p, want[i])
		}
	}
	cfg, err := parse(`secret: s, line: "7"`)
	if err != nil {
		t.Fatal(err)
	}
	n := w.start(cfg)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+n.HTTPAddr()+"/webhooks/shop",
		strings.NewReader(`[{"id":"a","from":"4915100000001","text":"hi"}]`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Secret", "s")
	response, err := w.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	select {
	case got := <-sent:
		if response.StatusCode != http.StatusOK || got != "4915100000001 step 1: hi" {
			t.Errorf("answered %d, sent %q", response.StatusCode, got)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("answered %d, and nothing was sent", response.StatusCode)
	}
}
