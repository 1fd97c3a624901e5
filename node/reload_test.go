package node

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/flow"
)

// reloadable starts a node that reads its configuration again from the file that write writes.
func (w *world) reloadable(cfg *config.Config) *Node {
	w.t.Helper()
	n, err := Start(cfg, Options{Version: "test", Reread: func() (*config.Config, map[string]*flow.Flow, error) {
		read, err := config.Load(filepath.Join(w.dir, "wactor.yaml"), os.LookupEnv, Kinds())
		return read, nil, err
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { w.stop(n) })
	return n
}

// bot is a program that answers after a while, with a text.
func (w *world) bot(text string, after time.Duration) string {
	program := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(after)
		fmt.Fprintf(rw, `{"replies":[{"text":%q}]}`, text)
	}))
	w.t.Cleanup(program.Close)
	return fmt.Sprintf("  bot: { http: { url: %q } }", program.URL)
}

// TestReloadReplacesABot: the turn under way is answered by the former bot, all others by the new
// one, no webhook is turned away, and a mistake changes nothing.
func TestReloadReplacesABot(t *testing.T) {
	w := newWorld(t)
	n := w.reloadable(w.config(w.bot("old", 500*time.Millisecond)))
	const first, second = "4915100000001", "4915100000002"
	w.send(n, first, "wamid.1", "hello")
	w.config(w.bot("new", 0), "log: { format: json }")
	response, err := n.Reload(true)
	if err != nil || !slices.Equal(response.Changed, []string{"bots.bot.http.url"}) ||
		!slices.Equal(response.Restart, []string{"log.format"}) {
		t.Fatalf("check: %v, %v", response, err)
	}
	stop, done := make(chan struct{}), sync.WaitGroup{}
	done.Go(func() { // webhooks all the while
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				if status := w.send(n, "4915100000009", fmt.Sprint("wamid.x", i), "x"); status != http.StatusOK {
					t.Errorf("a webhook was answered %d", status)
				}
			}
		}
	})
	for range 5 {
		if _, err := n.Reload(false); err != nil {
			t.Fatal(err)
		}
	}
	w.send(n, second, "wamid.2", "hello")
	if diff := cmp.Diff([]string{"new"}, w.await(second, 1)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"old"}, w.await(first, 1)); diff != "" {
		t.Error(diff)
	}
	close(stop)
	done.Wait()
	before := n.serving.now()
	w.write("channels: []\n")
	if _, err := n.Reload(false); err == nil || n.serving.now() != before {
		t.Errorf("a configuration with a mistake was taken up: %v", err)
	}
}

// TestReloadKeepsWhatStays: without a change nothing is made anew, and another rule keeps bot and
// sender.
func TestReloadKeepsWhatStays(t *testing.T) {
	w := newWorld(t)
	n := w.reloadable(w.counter())
	before := n.serving.now()
	if _, err := n.Reload(false); err != nil || n.serving.now().channels[0] != before.channels[0] {
		t.Fatalf("a reload without a change made a channel anew: %v", err)
	}
	w.counter("limits: { inbox: 7 }")
	if _, err := n.Reload(false); err != nil {
		t.Fatal(err)
	}
	now := n.serving.now()
	if now.channels[0] == before.channels[0] || now.channels[0].sender != before.channels[0].sender ||
		now.channels[0].bot != before.channels[0].bot || now.channels[0].rules.Limits.Inbox != 7 {
		t.Errorf("another limit: %+v", now.channels[0])
	}
}

// TestReloadTakesChangedFlowsUp: conversations go on with their state in the new flow.
func TestReloadTakesChangedFlowsUp(t *testing.T) {
	w := newWorld(t)
	n := w.reloadable(w.counter())
	const user = "4915100000001"
	w.send(n, user, "wamid.1", "a")
	w.await(user, 1)
	source := strings.Replace(counterSource, "step {{", "stage {{", 1)
	if err := os.WriteFile(filepath.Join(w.dir, "flow.yaml"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	response, err := n.Reload(false)
	if err != nil || !slices.Equal(response.Changed, []string{"bots.bot.flow"}) {
		t.Fatal(response, err)
	}
	w.send(n, user, "wamid.2", "b")
	if diff := cmp.Diff([]string{"step 1: a", "stage 2: b"}, w.await(user, 2)); diff != "" {
		t.Error(diff)
	}
}

// TestReloadChangesTokens: the former admin token lets no call in, and the last one can't go while
// pages of other sites could call.
func TestReloadChangesTokens(t *testing.T) {
	w := newWorld(t)
	n := w.reloadable(w.counter("admin: { token: 0123456789abcdef }"))
	w.counter("admin: { token: fedcba9876543210 }")
	if _, err := n.Reload(false); err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]int{"0123456789abcdef": http.StatusUnauthorized,
		"fedcba9876543210": http.StatusOK} {
		if got, _ := w.get(n, "/metrics", "Authorization", "Bearer "+token); got != want {
			t.Errorf("token %s: %d, want %d", token, got, want)
		}
	}
	w.counter()
	if _, err := n.Reload(false); err != nil {
		t.Fatal(err)
	}
	if got, _ := w.get(n, "/metrics", "Host", "rebound.example:8081"); got != http.StatusForbidden {
		t.Errorf("without a token, under another name: %d", got)
	}
}

// TestReloadNeedsItsReader: a node that was not given one says so.
func TestReloadNeedsItsReader(t *testing.T) {
	w := newWorld(t)
	n := w.start(w.counter())
	if _, err := n.Reload(false); !errors.Is(err, errNoReread) {
		t.Error(err)
	}
}

// write replaces the configuration's file.
func (w *world) write(text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, "wactor.yaml"), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}
