package strategy

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wactor/wactor/provider/cloudapi"
)

// graph takes replies, after so many failures.
type graph struct {
	failures atomic.Int64
	mu       sync.Mutex
	taken    []textMessage
	tokens   []string
}

func (g *graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.failures.Add(-1) >= 0 {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	var m textMessage
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.taken, g.tokens = append(g.taken, m), append(g.tokens, r.Header.Get("Authorization"))
}

func post(h http.Handler, body, signature string) int {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/shop", strings.NewReader(body))
	r.Header.Set("X-Hub-Signature-256", signature)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestWebhookToReply(t *testing.T) {
	g := &graph{}
	g.failures.Store(2) // are tried again
	provider := httptest.NewServer(g)
	defer provider.Close()
	sender := NewGraph(provider.URL+"/100/messages", "token")
	defer sender.Close()
	chosen, err := New(t.Context(), "memory", Options{}, sender.Reply)
	if err != nil {
		t.Fatal(err)
	}
	defer chosen.Close()
	h := &Webhook{AppSecret: "secret", Strategy: chosen, Log: slog.New(slog.DiscardHandler)}
	for range 2 { // the second is a duplicate
		if status := post(h, body, cloudapi.Sign("secret", []byte(body))); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	next := strings.ReplaceAll(body, "wamid.1", "wamid.9")
	if status := post(h, next, cloudapi.Sign("secret", []byte(next))); status != http.StatusOK {
		t.Fatal(status)
	}
	var replies []string
	for i, m := range g.taken {
		replies = append(replies, m.To+" "+m.Text.Body+" "+m.CallbackData)
		if g.tokens[i] != "Bearer token" || m.MessagingProduct != "whatsapp" || m.Type != "text" {
			t.Errorf("%+v with %q", m, g.tokens[i])
		}
	}
	if got := strings.Join(replies, "; "); got != "4915 step 1: hello wamid.1; DE.1 step 1: hi wamid.2; 4915 step 2: "+
		"hello wamid.9" {
		t.Error(got)
	}
}

// broken handles nothing.
type broken struct{}

func (broken) Handle(context.Context, Message) error { return errors.New("broken") }
func (broken) Close()                                {}

func TestWebhookRefuses(t *testing.T) {
	h := &Webhook{AppSecret: "secret", Strategy: broken{}, Log: slog.New(slog.DiscardHandler)}
	for _, c := range []struct {
		body, signature string
		status          int
	}{
		{body, "", http.StatusUnauthorized},
		{body, "sha256=zz", http.StatusUnauthorized},
		{body, cloudapi.Sign("other", []byte(body)), http.StatusUnauthorized},
		{"{}", cloudapi.Sign("secret", []byte("{}")), http.StatusBadRequest},
		{body, cloudapi.Sign("secret", []byte(body)), http.StatusServiceUnavailable},
	} {
		if status := post(h, c.body, c.signature); status != c.status {
			t.Errorf("%d for %s", status, c.signature)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Error(w.Code)
	}
}

func TestReplyGivesUp(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
	}))
	defer refusing.Close()
	sender := NewGraph(refusing.URL, "token")
	defer sender.Close()
	if err := sender.Reply(t.Context(), Message{ID: "1", User: "2"}, "x"); err == nil {
		t.Error("a refused reply is no error")
	}
}

func TestUnknownStrategy(t *testing.T) {
	if _, err := New(t.Context(), "none", Options{}, nil); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}
