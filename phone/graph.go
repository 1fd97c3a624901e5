package phone

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// took shows a reply, and tells the bot that it was delivered and read.
func (p *Phone) took(m emulator.Taken) {
	p.history.add(m.To, Event{Kind: KindReply, ID: m.ID, Content: m.Body})
	p.begin(func() {
		for _, word := range []string{"sent", "delivered", "read"} {
			body := p.options.Number.Statuses(m.Status(word, time.Now()))
			p.postUntilTaken(m.To, Event{ID: m.ID, About: word}, body)
		}
	})
}

// receipt is a request that marks a message as read, and may show that the bot is typing.
type receipt struct {
	Status    string          `json:"status"`
	MessageID string          `json:"message_id"`
	Typing    json.RawMessage `json:"typing_indicator"`
}

// maxReceipt is far above the size of a receipt, in bytes; what is longer is a message.
const maxReceipt = 4 << 10

// watchReceipts tells of the receipts that a Graph API takes; the emulator answers them without a
// word.
func watchReceipts(next http.Handler, seen func(receipt)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength < 0 || r.ContentLength > maxReceipt {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the bot is gone
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, r)
		var one receipt
		if answer.status == http.StatusOK && json.Unmarshal(body, &one) == nil && one.Status == "read" {
			seen(one)
		}
	})
}

// seen shows that the bot has read a message.
func (p *Phone) seen(r receipt) {
	if user, known := p.history.author(r.MessageID); known {
		p.history.add(user, Event{Kind: KindRead, ID: r.MessageID, Typing: len(r.Typing) > 0 &&
			string(r.Typing) != "null"})
	}
}

// statusRecorder notes the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status and passes it on.
func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}
