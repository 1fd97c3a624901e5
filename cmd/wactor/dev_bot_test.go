package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/wactor/wactor/bot"
)

// TestDevSignsTurns: a bot that wants signatures works with `wactor dev --bot`, whatever its secret
// holds, and whether the secret is given by a flag or by the environment of both.
func TestDevSignsTurns(t *testing.T) {
	const secret = `a "secret" & 'quotes' ${HOME} é`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := bot.Verify(secret, r.Header.Get(bot.SignatureHeader), body, time.Now(), 0); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"replies":[{"text":"well signed"}]}`)
	}))
	t.Cleanup(server.Close)
	t.Run("flag", func(t *testing.T) {
		address, _ := startDev(t, "--bot", server.URL, "--secret", secret)
		say(t, address, "hi")
		awaitStream(t, address, "well signed")
	})
	t.Run("environment", func(t *testing.T) {
		t.Setenv("BOT_SECRET", secret)
		address, _ := startDev(t, "--bot", server.URL)
		say(t, address, "hi")
		awaitStream(t, address, "well signed")
	})
}
