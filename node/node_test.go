package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
)

func TestMessagesBecomeReplies(t *testing.T) {
	w := newWorld(t)
	n := w.start(w.counter())
	for i, text := range []string{"a", "b", "c"} {
		if status := w.send(n, "4915100000001", fmt.Sprint("wamid.", i), text); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	}
	w.send(n, "4915100000001", "wamid.1", "b") // a duplicate
	w.send(n, "4915100000002", "wamid.9", "z")
	w.await("4915100000002", 1)
	want := []string{"step 1: a", "step 2: b", "step 3: c"}
	if diff := cmp.Diff(want, w.await("4915100000001", 3)); diff != "" {
		t.Fatal(diff)
	}
}

// TestRestartLosesNothing starts nodes one after the other over the same data: ids are remembered,
// states go on, and after a clean stop no reply is sent again.
func TestRestartLosesNothing(t *testing.T) {
	w := newWorld(t)
	cfg := w.counter()
	var want []string
	for round := range 3 {
		n := w.start(cfg)
		for i := range 2 {
			k := round*2 + i
			if status := w.send(n, "4915100000001", fmt.Sprint("wamid.", k), "x"); status != http.StatusOK {
				t.Fatalf("status %d", status)
			}
			w.send(n, "4915100000001", "wamid.0", "x")
			want = append(want, fmt.Sprintf("step %d: x", k+1))
		}
		w.stop(n)
	}
	n := w.start(cfg)
	w.send(n, "4915100000001", "wamid.last", "end")
	want = append(want, "step 7: end")
	if diff := cmp.Diff(want, w.await("4915100000001", 7)); diff != "" {
		t.Fatal(diff)
	}
}

// TestStopFinishesSends: a reply that the provider is still taking when the node stops is awaited,
// so that the next start finds no reply in doubt.
func TestStopFinishesSends(t *testing.T) {
	w := newWorld(t)
	started, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.hold = func(string) { once.Do(func() { close(started); <-release }) }
	cfg := w.counter()
	n := w.start(cfg)
	w.send(n, "4915100000001", "wamid.1", "x")
	<-started
	stopped := make(chan struct{})
	go func() { w.stop(n); close(stopped) }()
	for !n.end.stopping.Load() {
		time.Sleep(time.Millisecond)
	}
	close(release)
	<-stopped
	next := w.start(cfg)
	w.send(next, "4915100000001", "wamid.2", "y")
	if diff := cmp.Diff([]string{"step 1: x", "step 2: y"}, w.await("4915100000001", 2)); diff != "" {
		t.Fatal(diff)
	}
	if _, metrics := w.get(next, "/metrics"); !strings.Contains(metrics, "wactor_in_doubt_replies_total 0") {
		t.Fatal("a clean stop left a reply in doubt")
	}
}

// TestSlowBotDelaysItsUserOnly: while the bot thinks about one user, others are served, and that
// user's messages are accepted.
func TestSlowBotDelaysItsUserOnly(t *testing.T) {
	const slow = "4915100000001"
	called, release := make(chan struct{}, 10), make(chan struct{})
	program := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var turn struct {
			User     struct{ ID string }
			Messages []struct{ Text string }
		}
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &turn); err != nil {
			t.Error(err)
		}
		if turn.User.ID == slow {
			called <- struct{}{}
			<-release
		}
		fmt.Fprintf(rw, `{"replies":[{"text":"got %s"}]}`, turn.Messages[0].Text)
	}))
	defer program.Close()
	w := newWorld(t)
	n := w.start(w.config(fmt.Sprintf("  bot: { http: { url: %q } }", program.URL)))
	w.send(n, slow, "wamid.1", "1")
	<-called
	for i := 2; i <= 4; i++ {
		if status := w.send(n, slow, fmt.Sprint("wamid.", i), fmt.Sprint(i)); status != http.StatusOK {
			t.Fatalf("a message to a busy bot was answered %d", status)
		}
	}
	for i := range 20 {
		user := fmt.Sprint("49152", i)
		w.send(n, user, "wamid.q"+user, "q")
		w.await(user, 1)
	}
	if got := w.texts(slow); len(got) != 0 {
		t.Fatalf("replies before the bot answered: %q", got)
	}
	close(release)
	if diff := cmp.Diff([]string{"got 1", "got 2", "got 3", "got 4"}, w.await(slow, 4)); diff != "" {
		t.Fatal(diff)
	}
}

func TestHealth(t *testing.T) {
	w := newWorld(t)
	n := w.start(w.counter())
	w.send(n, "4915100000001", "wamid.1", "secret words")
	w.await("4915100000001", 1)
	for path, want := range map[string]string{
		"/healthz": "ok\n", "/readyz": "ready\n",
	} {
		if status, body := w.get(n, path); status != http.StatusOK || body != want {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	_, metrics := w.get(n, "/metrics")
	for _, name := range []string{
		"wactor_webhooks_total", "wactor_accept_seconds", "wactor_turns_total", "wactor_bot_seconds",
		"wactor_commit_seconds",
		"wactor_outbox_depth", "wactor_sends_total", "wactor_deliveries_total", "wactor_duplicates_total",
		"wactor_dead_letters_total",
		"wactor_active_conversations", "wactor_in_doubt_replies_total", "wactor_in_doubt_replies_resent_total",
	} {
		if !strings.Contains(metrics, "\n"+name) {
			t.Errorf("no metric %s", name)
		}
	}
	for _, private := range []string{"4915100000001", "secret words", "wamid", "Ana"} {
		if strings.Contains(metrics, private) {
			t.Errorf("metrics hold %q", private)
		}
	}
	public := func() (int, string) {
		response, err := w.client.Get("http://" + n.HTTPAddr() + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	if status, body := public(); status != http.StatusOK || body != "ready\n" {
		t.Errorf("/readyz on listen.http: %d %q", status, body)
	}
	n.end.stopping.Store(true)
	if status, _ := w.get(n, "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("a stopping node is ready: %d", status)
	}
	if status, body := public(); status != http.StatusServiceUnavailable || body != "not ready\n" {
		t.Errorf("/readyz of a stopping node on listen.http: %d %q", status, body)
	}
}

func TestAdminIsGuarded(t *testing.T) {
	w := newWorld(t)
	open := w.start(w.counter())
	if status, _ := w.get(open, "/metrics", "Host", "evil.example"); status != http.StatusForbidden {
		t.Errorf("a foreign name was answered %d", status)
	}
	if status, _ := w.get(open, "/metrics", "Host", "localhost:1"); status != http.StatusOK {
		t.Errorf("localhost was answered %d", status)
	}
	w.stop(open)
	guarded := w.start(w.counter("admin: { token: abcdefghijklmnopqrstuvwxyz }"))
	if status, _ := w.get(guarded, "/metrics"); status != http.StatusUnauthorized {
		t.Errorf("without the token: %d", status)
	}
	if status, _ := w.get(guarded, "/metrics", "Authorization",
		"Bearer abcdefghijklmnopqrstuvwxyz"); status != http.StatusOK {
		t.Errorf("with the token: %d", status)
	}
	if status, _ := w.get(guarded, "/healthz"); status != http.StatusOK {
		t.Errorf("health asks for the token: %d", status)
	}
}

func TestTraceTellsTheTimeline(t *testing.T) {
	w := newWorld(t)
	n := w.start(w.counter())
	w.send(n, "4915100000001", "wamid.1", "a")
	w.send(n, "4915100000001", "wamid.1", "a")
	w.await("4915100000001", 1)
	client := wactorv1connect.NewAdminServiceClient(w.client, "http://"+n.AdminAddr())
	response, err := client.Trace(context.Background(),
		connect.NewRequest(&wactorv1.TraceRequest{User: "+4915100000001"}))
	if err != nil {
		t.Fatal(err)
	}
	conversations := response.Msg.Conversations
	if len(conversations) != 1 || conversations[0].Version != 1 || len(conversations[0].Violations) != 0 {
		t.Fatalf("trace %v", conversations)
	}
	if _, err := client.Trace(context.Background(),
		connect.NewRequest(&wactorv1.TraceRequest{User: " "})); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("an empty user: %v", err)
	}
	request := &wactorv1.TraceRequest{User: "1", Channel: "nowhere"}
	if _, err := client.Trace(context.Background(), connect.NewRequest(request)); connect.CodeOf(
		err) != connect.CodeNotFound {
		t.Errorf("an unknown channel: %v", err)
	}
	status, err := client.Status(context.Background(), connect.NewRequest(&wactorv1.StatusRequest{}))
	if err != nil || status.Msg.ShardsLed != status.Msg.Shards || status.Msg.Version != "test" {
		t.Fatalf("status %v, %v", status, err)
	}
}

// TestAdminSpeaksEveryProtocol: as admin.proto says, and gRPC is nothing without HTTP/2.
func TestAdminSpeaksEveryProtocol(t *testing.T) {
	w := newWorld(t)
	n := w.start(w.counter())
	http2 := &http.Transport{Protocols: new(http.Protocols)}
	http2.Protocols.SetUnencryptedHTTP2(true)
	defer http2.CloseIdleConnections()
	for name, client := range map[string]wactorv1connect.AdminServiceClient{
		"Connect": wactorv1connect.NewAdminServiceClient(w.client, "http://"+n.AdminAddr()),
		"JSON":    wactorv1connect.NewAdminServiceClient(w.client, "http://"+n.AdminAddr(), connect.WithProtoJSON()),
		"gRPC": wactorv1connect.NewAdminServiceClient(&http.Client{Transport: http2}, "http://"+n.AdminAddr(),
			connect.WithGRPC()),
	} {
		status, err := client.Status(context.Background(), connect.NewRequest(&wactorv1.StatusRequest{}))
		if err != nil || status.Msg.Version != "test" {
			t.Errorf("%s: %v, %v", name, status, err)
		}
	}
}

// TestStartFailsWhole: a port that is taken is found before anything is written, and nothing is
// left behind.
func TestStartFailsWhole(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, which := range []string{"http", "admin"} {
		w := newWorld(t)
		cfg := w.counter()
		if which == "http" {
			cfg.Listen.HTTP = taken.Addr().String()
		} else {
			cfg.Listen.Admin = taken.Addr().String()
		}
		_, err := Start(cfg, Options{})
		if err == nil || !strings.Contains(err.Error(), "listen."+which) {
			t.Fatalf("error %v, want one that names listen.%s", err, which)
		}
	}
}

func TestTwoNodesCannotShareData(t *testing.T) {
	w := newWorld(t)
	cfg := w.counter()
	w.start(cfg)
	if _, err := Start(cfg, Options{}); err == nil {
		t.Fatal("a second node opened the data of a running one")
	}
}

func TestWaitReturnsWhatFailed(t *testing.T) {
	w := newWorld(t)
	n := w.start(w.counter())
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	n.public.listener.Close() // the listener breaks
	if err := n.Wait(ctx); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Wait: %v", err)
	}
}
