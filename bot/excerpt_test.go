package bot

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wactor/wactor/conversation"
)

// TestDevelopersSeeWhatTheBotSaid: with Excerpts the reason of a failure holds the beginning of the
// body in one line; without, it never does.
func TestDevelopersSeeWhatTheBotSaid(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		body, want string
	}{
		"a page": {500, "<html>\n  <h1>TypeError</h1>\r\n",
			"http 500; the bot said: <html> <h1>TypeError</h1>"},
		"no JSON": {200, "Hello!", "answer: not JSON; the bot said: Hello!"},
		"a typo":  {200, `{"reply":[]}`, `; the bot said: {"reply":[]}`},
		"nothing": {400, "", "http 400"},
		"much": {500, strings.Repeat("é", 5000), "http 500; the bot said: " + strings.Repeat("é",
			299) + "…"},
		"bytes, not text": {500, "\xff\xfe", "http 500; the bot said: ?"},
	} {
		for _, excerpts := range []bool{true, false} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			b, err := NewHTTP(HTTPConfig{URL: server.URL, Excerpts: excerpts})
			if err != nil {
				t.Fatal(err)
			}
			_, err = b.Turn(t.Context(), fullTurn())
			b.Close()
			server.Close()
			var failed *conversation.BotError
			if !errors.As(err, &failed) {
				t.Fatalf("%s: %v", name, err)
			}
			if excerpts && !strings.HasSuffix(failed.Reason, c.want) || !excerpts && strings.Contains(failed.Reason,
				"said") {
				t.Errorf("%s, excerpts %v: %s", name, excerpts, failed.Reason)
			}
		}
	}
}
