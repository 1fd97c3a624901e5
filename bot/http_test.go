package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// simpleTurn is a turn of no interest.
func simpleTurn(id string) *conversation.Turn {
	return &conversation.Turn{
		ID: id, Attempt: 1, Conversation: conversation.ID{Channel: "shop", User: "1"}, User: &wactorv1.User{Id: "1",
			WaId: "1"},
		Messages: []*wactorv1.Message{{Id: "wamid.1", Type: "text", Text: "hi"}},
	}
}

// startBot serves a handler on a real port, and closes bot and server at the end.
func startBot(t *testing.T, config HTTPConfig, handler http.HandlerFunc) *HTTP {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	config.URL = server.URL + "/turn"
	b, err := NewHTTP(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestHTTPRequest(t *testing.T) {
	var got *http.Request
	var body []byte
	b := startBot(t, HTTPConfig{Secret: "s3cret", Headers: map[string]string{"authorization": "Bearer x"}},
		func(w http.ResponseWriter, r *http.Request) {
			got = r
			body, _ = io.ReadAll(r.Body)
			_, _ = io.WriteString(w, `{"replies":[{"text":"hello"}],"state":{"n":1}}`)
		})
	answer, err := b.Turn(t.Context(), fullTurn())
	if err != nil {
		t.Fatal(err)
	}
	if string(answer.State) != `{"n":1}` || answer.Replies[0].GetText() != "hello" {
		t.Errorf("answer %+v", answer)
	}
	want, err := encodeTurn(fullTurn())
	if err != nil {
		t.Fatal(err)
	}
	if string(body) != string(want) {
		t.Errorf("body %s", body)
	}
	for name, value := range map[string]string{
		"Idempotency-Key": fullTurn().ID, "Content-Type": "application/json", "Authorization": "Bearer x",
		"User-Agent": "wactor",
	} {
		if got.Header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), value)
		}
	}
	if got.Method != http.MethodPost || got.URL.Path != "/turn" {
		t.Errorf("%s %s", got.Method, got.URL.Path)
	}
	if err := Verify("s3cret", got.Header.Get(SignatureHeader), body, time.Now(), time.Minute); err != nil {
		t.Error(err)
	}
}

// TestHTTPAnswers goes through what a bot may answer.
func TestHTTPAnswers(t *testing.T) {
	cases := []struct {
		status    int
		body      string
		reason    string // empty: answered
		retryable bool
	}{
		{200, `{}`, "", false},
		{204, ``, "", false},
		{200, ``, "answer: empty body; answer {} or 204 to say nothing", false},
		{200, `{"replies":[{"text":"a","raw":{}}]}`, "replies[0].raw: a second content; only one is possible", false},
		{200, `"` + strings.Repeat("a", MaxAnswerBytes-2) + `"`, "answer: must be an object, not a string", false},
		{200, `{"replies":[{"text":"` + strings.Repeat("a", MaxAnswerBytes) + `"}]}`, "answer: larger than 1048576 bytes",
			false},
		{200, `{"replies":[{"text":"` + strings.Repeat("a", MaxAnswerBytes+MaxAnswerData) + `"}]}`,
			"answer: larger than 1048576 bytes", false},
		{200, `{"replies":[{"media":{"type":"image","data":"a b"}}]}`, "replies[0].media.data: not base64", false},
		{201, `{}`, "http 201: an answer has 200 or 204", false},
		{302, ``, "http 302: redirects are not followed", false},
		{307, ``, "http 307: redirects are not followed", false},
		{400, `SECRET`, "http 400", false},
		{401, ``, "http 401", false},
		{404, ``, "http 404", false},
		{408, ``, "http 408", true},
		{429, ``, "http 429", true},
		{500, `SECRET`, "http 500", true},
		{503, strings.Repeat("x", 1<<20), "http 503", true},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%d %.20s", c.status, c.body), func(t *testing.T) {
			var calls atomic.Int32
			b := startBot(t, HTTPConfig{}, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			answer, err := b.Turn(t.Context(), simpleTurn("T1"))
			if calls.Load() != 1 {
				t.Errorf("called %d times", calls.Load())
			}
			if c.reason == "" {
				if err != nil || answer == nil || answer.State != nil || len(answer.Replies) > 0 {
					t.Errorf("answer %+v, %v", answer, err)
				}
				return
			}
			wantFailure(t, answer, err, c.reason, c.retryable)
		})
	}
}

func wantFailure(t *testing.T, answer *conversation.Answer, err error, reason string, retryable bool) {
	t.Helper()
	var failure *conversation.BotError
	if !errors.As(err, &failure) {
		t.Fatalf("answer %+v, error %v; want a BotError", answer, err)
	}
	if failure.Reason != reason || failure.Retryable != retryable {
		t.Errorf("%s (retryable %v), want %s (%v)", failure.Reason, failure.Retryable, reason, retryable)
	}
}

// TestHTTPAnswerOfUnknownLength ends the reading of an endless answer.
func TestHTTPAnswerOfUnknownLength(t *testing.T) {
	b := startBot(t, HTTPConfig{}, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("[", 4096)); err != nil {
				return
			}
		}
	})
	answer, err := b.Turn(t.Context(), simpleTurn("T1"))
	wantFailure(t, answer, err, "answer: larger than 1048576 bytes", false)
}

func TestHTTPBrokenConnections(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		b, err := NewHTTP(HTTPConfig{URL: "http://" + listener.Addr().String()})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		_ = listener.Close()
		answer, err := b.Turn(t.Context(), simpleTurn("T1"))
		wantFailure(t, answer, err, "connection refused", true)
	})
	t.Run("before the status", func(t *testing.T) {
		b := startBot(t, HTTPConfig{}, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		answer, err := b.Turn(t.Context(), simpleTurn("T1"))
		wantFailure(t, answer, err, "connection broken", true)
	})
	t.Run("inside the body", func(t *testing.T) {
		b := startBot(t, HTTPConfig{}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"replies":[]}`)
		})
		answer, err := b.Turn(t.Context(), simpleTurn("T1"))
		wantFailure(t, answer, err, "connection broken", true)
	})
	t.Run("not HTTPS", func(t *testing.T) {
		b := startBot(t, HTTPConfig{}, func(http.ResponseWriter, *http.Request) {})
		b.config.URL = strings.Replace(b.config.URL, "http://", "https://", 1)
		answer, err := b.Turn(t.Context(), simpleTurn("T1"))
		wantFailure(t, answer, err, "TLS handshake failed", true)
	})
	t.Run("certificate", func(t *testing.T) {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		defer server.Close()
		b, err := NewHTTP(HTTPConfig{URL: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		answer, err := b.Turn(t.Context(), simpleTurn("T1"))
		wantFailure(t, answer, err, "TLS certificate not trusted", true)
	})
}

// TestHTTPKeepsConnections calls many times, also after failures, over one connection.
func TestHTTPKeepsConnections(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("Idempotency-Key"), "0") {
			http.Error(w, "try later", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	b, err := NewHTTP(HTTPConfig{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for i := range 50 {
		_, _ = b.Turn(t.Context(), simpleTurn(fmt.Sprintf("T%d", i)))
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for 50 calls in a row", n)
	}
}

// TestHTTPBoundsCalls counts how many calls reach a bot that answers none until all slots are
// taken.
func TestHTTPBoundsCalls(t *testing.T) {
	var now, most atomic.Int32
	full, open := make(chan struct{}), make(chan struct{})
	b := startBot(t, HTTPConfig{MaxConcurrent: 3}, func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		most.Store(max(most.Load(), n))
		if n == 3 {
			close(full)
		}
		<-open
		w.WriteHeader(http.StatusNoContent)
	})
	var calls sync.WaitGroup
	for i := range 10 {
		calls.Go(func() {
			if _, err := b.Turn(t.Context(), simpleTurn(fmt.Sprintf("T%d", i))); err != nil {
				t.Error(err)
			}
		})
	}
	<-full
	// A caller that gives up while it waits for a slot is not called at all.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Turn(ctx, simpleTurn("T10")); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call failed with %v", err)
	}
	if n := most.Load(); n != 3 {
		t.Errorf("%d calls at once, want 3", n)
	}
	now.Store(-100) // the rest passes without closing full again
	close(open)
	calls.Wait()
}

func TestHTTPCancel(t *testing.T) {
	reached, ended := make(chan struct{}), make(chan struct{})
	b := startBot(t, HTTPConfig{}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		close(reached)
		<-r.Context().Done()
		close(ended)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-reached
		cancel()
	}()
	_, err := b.Turn(ctx, simpleTurn("T1"))
	var failure *conversation.BotError
	if !errors.Is(err, context.Canceled) || errors.As(err, &failure) {
		t.Errorf("a cancelled call failed with %v", err)
	}
	<-ended // the bot sees that the call was cancelled
}

func TestHTTPClose(t *testing.T) {
	reached := make(chan struct{})
	b := startBot(t, HTTPConfig{}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		close(reached)
		<-r.Context().Done()
	})
	result := make(chan error, 1)
	go func() {
		_, err := b.Turn(context.Background(), simpleTurn("T1"))
		result <- err
	}()
	<-reached
	for range 2 {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	wantFailure(t, nil, <-result, "closed", true)
	answer, err := b.Turn(t.Context(), simpleTurn("T2"))
	wantFailure(t, answer, err, "closed", true)
}

// TestHTTPTimeout runs in a bubble, with pipes instead of a network, so that its seconds cost
// nothing.
func TestHTTPTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newPipeListener()
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			_ = http.NewResponseController(w).Flush() // the status comes in time, the body never does
			<-r.Context().Done()
		})}
		var serving sync.WaitGroup
		serving.Go(func() { _ = server.Serve(listener) })
		b, err := NewHTTP(HTTPConfig{URL: "http://bot.test/turn", Timeout: 7 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		b.transport.DialContext = listener.dial
		start := time.Now()
		answer, err := b.Turn(t.Context(), simpleTurn("T1"))
		wantFailure(t, answer, err, "timeout after 7s", true)
		if took := time.Since(start); took != 7*time.Second {
			t.Errorf("took %s", took)
		}
		_ = b.Close()
		_ = server.Close()
		serving.Wait()
	})
}

// pipeListener is a network of one server in memory.
type pipeListener struct {
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{connections: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.connections <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// TestHTTPTurnThatIsNoJSON can only come from a state that a broken store handed out.
func TestHTTPTurnThatIsNoJSON(t *testing.T) {
	b := startBot(t, HTTPConfig{}, func(http.ResponseWriter, *http.Request) { t.Error("called") })
	turn := simpleTurn("T1")
	turn.State = json.RawMessage(`{"SECRET`)
	answer, err := b.Turn(t.Context(), turn)
	wantFailure(t, answer, err, "turn can't be written as JSON", false)
}

func TestNewHTTPRefuses(t *testing.T) {
	const good = "http://127.0.0.1:3000/turn"
	for want, config := range map[string]HTTPConfig{
		"url must be one such as http":     {URL: "127.0.0.1:3000"},
		"url has no host":                  {URL: "http://:80/turn"},
		"url must be one such as":          {URL: "http://SECRET\x7f"},
		"url holds credentials":            {URL: "https://user:SECRET@example.com"},
		"negative timeout":                 {URL: good, Timeout: -1},
		"negative number":                  {URL: good, MaxConcurrent: -1},
		"header Idempotency-Key is set by": {URL: good, Headers: map[string]string{"idempotency-key": "SECRET"}},
		`"a b" is no header name`:          {URL: good, Headers: map[string]string{"a b": "SECRET"}},
		"control characters":               {URL: good, Headers: map[string]string{"X-A": "SECRET\n"}},
	} {
		b, err := NewHTTP(config)
		if b != nil || !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%+v: %v, want %q", config, err, want)
		}
	}
}

func BenchmarkHTTPTurn(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"state":{"n":1},"replies":[{"text":"hello"}]}`)
	}))
	defer server.Close()
	bot, err := NewHTTP(HTTPConfig{URL: server.URL, Secret: "s3cret"})
	if err != nil {
		b.Fatal(err)
	}
	defer bot.Close()
	turn := simpleTurn("T1")
	for b.Loop() {
		if _, err := bot.Turn(b.Context(), turn); err != nil {
			b.Fatal(err)
		}
	}
}
