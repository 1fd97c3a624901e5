package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/provider/cloudapi"
)

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "wactor")
	if err != nil {
		panic(err)
	}
	os.Setenv("XDG_CONFIG_HOME", folder) // for the key of clusters on loopback
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		os.RemoveAll(folder)
		os.Exit(status)
	}))
}

const (
	testPhoneNumber = "100000000000001"
	testSecret      = "app-secret"
)

// world is a node's surroundings: a Graph API that takes everything, and a data directory that
// outlives the node.
type world struct {
	t      *testing.T
	dir    string
	client *http.Client
	graph  *httptest.Server
	// hold, where set, runs before a reply is taken.
	hold func(to string)

	mu    sync.Mutex
	taken []reply
	more  chan struct{}
}

// reply is one message that the Graph API took.
type reply struct{ to, id, text string }

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), more: make(chan struct{}, 1),
		client: &http.Client{Transport: &http.Transport{}}}
	w.graph = httptest.NewServer(http.HandlerFunc(w.take))
	t.Cleanup(func() {
		w.graph.Close()
		w.client.CloseIdleConnections()
	})
	return w
}

func (w *world) take(rw http.ResponseWriter, r *http.Request) {
	var body struct {
		To   string `json:"to"`
		ID   string `json:"biz_opaque_callback_data"`
		Text struct {
			Body string `json:"body"`
		} `json:"text"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(rw, "no JSON", http.StatusBadRequest)
		return
	}
	if w.hold != nil {
		w.hold(body.To)
	}
	w.mu.Lock()
	w.taken = append(w.taken, reply{strings.TrimPrefix(body.To, "+"), body.ID, body.Text.Body})
	n := len(w.taken)
	w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
	fmt.Fprintf(rw, `{"messaging_product":"whatsapp","messages":[{"id":"wamid.out%d"}]}`, n)
}

// texts are the replies that a user got, in their order.
func (w *world) texts(user string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, r := range w.taken {
		if r.to == user {
			out = append(out, r.text)
		}
	}
	return out
}

// await returns a user's replies once there are n of them.
func (w *world) await(user string, n int) []string {
	w.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		if texts := w.texts(user); len(texts) >= n {
			return texts
		}
		select {
		case <-w.more:
		case <-time.After(100 * time.Millisecond): // news of another waiter's
		case <-deadline:
			w.t.Fatalf("user got %d replies, want %d", len(w.texts(user)), n)
		}
	}
}

// config makes a configuration from the text of its bots.
func (w *world) config(bots string, more ...string) *config.Config {
	w.t.Helper()
	src := fmt.Sprintf(`
node: { name: node-1, data_dir: %q }
listen: { http: "127.0.0.1:0", admin: "127.0.0.1:0" }
channels:
  - name: shop
    provider: whatsapp_cloud
    phone_number_id: %q
    verify_token: verify
    app_secret: %s
    access_token: token
    graph_url: %s
    bot: bot
    in_doubt: { wait: 1s }
bots:
%s
%s`, filepath.Join(w.dir, "data"), testPhoneNumber, testSecret, w.graph.URL, bots, strings.Join(more, "\n"))
	path := filepath.Join(w.dir, "wactor.yaml")
	if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
		w.t.Fatal(err)
	}
	cfg, err := config.Load(path, os.LookupEnv, Kinds())
	if err != nil {
		w.t.Fatal(err)
	}
	return cfg
}

const counterSource = `name: counter
start: count
steps:
  count:
    set: { n: "(vars.n ?? 0) + 1" }
    say: "step {{ vars.n }}: {{ message.text }}"
    wait: count
`

// counter is a configuration whose bot is the counter flow.
func (w *world) counter(more ...string) *config.Config {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, "flow.yaml"), []byte(counterSource), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return w.config("  bot: { flow: flow.yaml }", more...)
}

func (w *world) start(cfg *config.Config) *Node {
	w.t.Helper()
	n, err := Start(cfg, Options{Version: "test"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { w.stop(n) })
	return n
}

func (w *world) stop(n *Node) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	n.Close(ctx)
}

// send posts one text message and returns the status.
func (w *world) send(n *Node, user, id, text string) int {
	w.t.Helper()
	message := fmt.Sprintf(`{"from":%q,"id":%q,"timestamp":"%d","type":"text","text":{"body":%q}}`, user, id, time.Now().Unix(), text)
	return w.post(n, []byte(fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{`+
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"1","phone_number_id":%q},`+
		`"contacts":[{"profile":{"name":"Ana"},"wa_id":%q}],"messages":[%s]}}]}]}`, testPhoneNumber, user, message)))
}

func (w *world) post(n *Node, body []byte) int {
	w.t.Helper()
	request, err := http.NewRequest(http.MethodPost, "http://"+n.HTTPAddr()+"/webhooks/shop", bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set(cloudapi.SignatureHeader, cloudapi.Sign(testSecret, body))
	response, err := w.client.Do(request)
	if err != nil {
		w.t.Error(err)
		return 0
	}
	defer response.Body.Close()
	io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// get returns the answer of the admin listener.
func (w *world) get(n *Node, path string, header ...string) (int, string) {
	w.t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+n.AdminAddr()+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			request.Host = header[i+1]
		}
		request.Header.Set(header[i], header[i+1])
	}
	response, err := w.client.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
