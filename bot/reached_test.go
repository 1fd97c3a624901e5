package bot

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/flow"
)

// silentListener takes connections and never says anything on them.
func silentListener(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

// closedPort is an address that no process listens on.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// TestACallWithoutAConnectionDidNotReachTheBot: what never was a connection is no attempt of the
// bot's; what broke or was slow on one is.
func TestACallWithoutAConnectionDidNotReachTheBot(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	selfSigned := httptest.NewUnstartedServer(http.NotFoundHandler())
	selfSigned.Config.ErrorLog = log.New(io.Discard, "", 0)
	selfSigned.StartTLS()
	t.Cleanup(selfSigned.Close)
	hangUp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(hangUp.Close)
	for name, c := range map[string]struct {
		url        string
		notReached bool
	}{
		"port closed":      {"http://" + closedPort(t), true},
		"no such host":     {"http://nowhere.invalid", true},
		"no TLS there":     {strings.Replace(plain.URL, "http:", "https:", 1), true},
		"not trusted":      {selfSigned.URL, true},
		"TLS never begins": {"https://" + silentListener(t), true},
		"never answered":   {"http://" + silentListener(t), false},
		"hung up":          {hangUp.URL, false},
		"not found":        {plain.URL, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := NewHTTP(HTTPConfig{URL: c.url, Timeout: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			_, err = b.Turn(t.Context(), simpleTurn("T1"))
			var failed *conversation.BotError
			if !errors.As(err, &failed) || failed.NotReached != c.notReached || c.notReached && !failed.Retryable {
				t.Errorf("%+v", err)
			}
		})
	}
}

// TestAServiceThatWasNotReached: a flow without on_error waits for its service as an HTTP bot is
// waited for.
func TestAServiceThatWasNotReached(t *testing.T) {
	f, err := flow.Parse("x", []byte("name: x\nstart: a\nsteps:\n  a: { call: { url: 'http://"+closedPort(t)+
		"/x' }, end: true }\n"))
	if err != nil {
		t.Fatal(err)
	}
	b := NewFlow(f, DefaultBudget)
	defer b.Close()
	_, err = b.Turn(t.Context(), simpleTurn("T1"))
	var failed *conversation.BotError
	if !errors.As(err, &failed) || !failed.NotReached || !failed.Retryable {
		t.Errorf("%+v", err)
	}
}
