package strategy

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

const (
	// maxBody is the most that the provider sends, in bytes.
	maxBody = 3 << 20
	// handleWithin bounds the handling of one webhook. It goes on when the provider hangs up: half
	// a message is of no use.
	handleWithin = 20 * time.Second
)

// Webhook is the HTTP handler of the provider's webhooks.
type Webhook struct {
	AppSecret string
	Strategy  Strategy
	Log       *slog.Logger
}

// ServeHTTP answers 200 once all messages were handled, and 503 where one was not: the provider
// posts all of them again then.
func (h *Webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if !verify(h.AppSecret, r.Header.Get("X-Hub-Signature-256"), body) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	messages, err := parse(body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), handleWithin)
	defer cancel()
	for _, m := range messages {
		if err := h.Strategy.Handle(ctx, m); err != nil {
			h.Log.Warn("message not handled", "error", err)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
	}
}

// verify says whether the app secret signed this body.
func verify(secret, header string, body []byte) bool {
	digits, ok := strings.CutPrefix(header, "sha256=")
	given, err := hex.DecodeString(digits)
	if !ok || err != nil {
		return false
	}
	hash := hmac.New(sha256.New, []byte(secret))
	hash.Write(body)
	return hmac.Equal(hash.Sum(nil), given)
}
