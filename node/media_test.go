package node

import (
	"crypto/sha256"
	"encoding/base64"
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

	"github.com/wactor/wactor/provider/cloudapi"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// TestABotReadsAFile: a user's photo reaches a bot that knows nothing but its link, from any node.
func TestABotReadsAFile(t *testing.T) {
	const photo = "not really a photo"
	sum := sha256.Sum256([]byte(photo))
	var asked sync.Map
	var graph *httptest.Server
	graph = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.Path, r.Header.Get("Authorization"))
		switch r.URL.Path {
		case "/4490709327384033":
			fmt.Fprintf(w, `{"url":"%s/lookaside","mime_type":"image/jpeg","sha256":"%x","file_size":%d}`, graph.URL, sum,
				len(photo))
		case "/lookaside":
			_, _ = io.WriteString(w, photo)
		default:
			_, _ = io.WriteString(w, `{"messages":[{"id":"wamid.out"}]}`)
		}
	}))
	defer graph.Close()
	read := make(chan string, 1)
	var link string
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var turn struct {
			Messages []struct{ Media struct{ URL string } }
		}
		if err := json.NewDecoder(r.Body).Decode(&turn); err != nil {
			t.Error(err)
		}
		link = turn.Messages[0].Media.URL
		response, err := http.Get(link)
		if err != nil {
			t.Error(err)
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		read <- fmt.Sprint(response.StatusCode, " ", response.Header.Get("Content-Type"), " ", string(body))
		w.WriteHeader(http.StatusNoContent)
	}))
	defer bot.Close()
	w := newWorld(t)
	cfg := w.config("  bot: { http: { url: " + bot.URL + " } }")
	cfg.Channels[0].Settings.(*cloudapi.Settings).GraphURL = graph.URL
	n := w.start(cfg)
	body := emulator.Number{PhoneNumberID: testPhoneNumber, AppSecret: testSecret}.Messages(emulator.Message{
		ID: "wamid.1", User: "4915100000001", SentMs: time.Now().UnixMilli(), Media: &emulator.Media{
			Type: "image", ID: "4490709327384033", MIMEType: "image/jpeg",
			SHA256: base64.StdEncoding.EncodeToString(sum[:]),
		},
	})
	if status := w.post(n, body); status != http.StatusOK {
		t.Fatalf("webhook: %d", status)
	}
	if got := <-read; got != "200 image/jpeg "+photo {
		t.Errorf("the bot read %s", got)
	}
	if strings.Contains(link, "4490709327384033") || strings.Contains(link, "4915100000001") {
		t.Errorf("%s tells whose it is", link)
	}
	for _, path := range []string{"/4490709327384033", "/lookaside"} {
		if token, _ := asked.Load(path); token != "Bearer token" {
			t.Errorf("%s was asked with %v", path, token)
		}
	}
	for changed, want := range map[string]int{
		link: 200, strings.Replace(link, "signature=", "signature=A", 1): 403,
		strings.Replace(link, "/media/shop/", "/media/bank/", 1): 404,
	} {
		response, err := http.Get(changed)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", changed, response.StatusCode, want)
		}
	}
	// Another node of the channel, which has never seen the conversation, serves the link too.
	other := newWorld(t)
	cfg = other.counter()
	cfg.Channels[0].Settings.(*cloudapi.Settings).GraphURL = graph.URL
	elsewhere := strings.Replace(link, n.HTTPAddr(), other.start(cfg).HTTPAddr(), 1)
	response, err := http.Get(elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); string(body) != photo || elsewhere == link {
		t.Errorf("another node: %d %q", response.StatusCode, body)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestAFileIsUploadedOnce: a flow's picture and the data of a bot are sent by id to each of many
// users, after one upload each; what the provider has no longer is uploaded once more.
func TestAFileIsUploadedOnce(t *testing.T) {
	taken := make(chan string, 100)
	graph := emulator.NewGraph("token", emulator.Faults{}, func(m emulator.Taken) { taken <- string(m.Body) })
	server := httptest.NewServer(graph)
	defer server.Close()
	w := newWorld(t)
	for name, content := range map[string]string{"files/cake.png": "cake", "menu.yaml": `name: menu
start: show
steps:
  show:
    media: { type: image, file: cake.png, caption: Cake }
    wait: show
`} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(w.dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg := w.config("  bot: { flow: menu.yaml }", "media: { dir: files }")
	cfg.Channels[0].Settings.(*cloudapi.Settings).GraphURL = server.URL
	n := w.start(cfg)
	var id string
	for i := range 20 {
		if status := w.send(n, fmt.Sprint(4915100000000+i), fmt.Sprint("wamid.", i), "hi"); status != http.StatusOK {
			t.Fatal(status)
		}
		body := <-taken
		_, rest, _ := strings.Cut(body, `"image":{"id":"`)
		if id, _, _ = strings.Cut(rest, `"`); id == "" || !strings.Contains(body, "Cake") {
			t.Fatal(body)
		}
	}
	if graph.Uploads() != 1 {
		t.Errorf("%d uploads", graph.Uploads())
	}
	graph.Forget(id)
	w.send(n, "4915100000001", "wamid.later", "hi")
	if body := <-taken; strings.Contains(body, id) || graph.Uploads() != 2 {
		t.Errorf("%s, %d uploads", body, graph.Uploads())
	}
}
