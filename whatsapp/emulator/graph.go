package emulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Taken is a message that the Graph API has taken from the business.
type Taken struct {
	// ID is the id that the provider gave it.
	ID string
	// ReplyID is its biz_opaque_callback_data; may be empty.
	ReplyID string
	// To is the recipient without a plus sign.
	To string
	// Type is text, interactive, ...; Text is the body where it is a text.
	Type, Text string
	// Body is the request as it came. It is not to be changed.
	Body []byte
	// Broken says that the business never got the answer.
	Broken bool
	At     time.Time
}

// Graph is a fake Graph API: a handler of POST /{version}/{phone number id}/messages.
type Graph struct {
	// AccessToken is asked of every request; empty asks for none.
	AccessToken string
	// Taken is called for every message that is taken, before it is answered, on the request's goroutine.
	Taken func(Taken)

	dice   *dice
	prefix string
	count  atomic.Uint64
}

// NewGraph returns a Graph that takes every message, unless the faults want it otherwise.
func NewGraph(accessToken string, faults Faults, taken func(Taken)) *Graph {
	return &Graph{
		AccessToken: accessToken, Taken: taken, dice: newDice(faults),
		prefix: "wamid.e" + strconv.FormatInt(time.Now().UnixMicro(), 36) + ".",
	}
}

// maxRequest bounds a request to the Graph API, in bytes.
const maxRequest = 1 << 20

// outbound is what matters of a request.
type outbound struct {
	MessagingProduct string `json:"messaging_product"`
	Status           string `json:"status"`
	To               string `json:"to"`
	Recipient        string `json:"recipient"`
	Type             string `json:"type"`
	ReplyID          string `json:"biz_opaque_callback_data"`
	Text             struct {
		Body string `json:"body"`
	} `json:"text"`
}

// ServeHTTP answers one request.
func (g *Graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/messages") {
		refuse(w, http.StatusNotFound, 100, "Unsupported request")
		return
	}
	if g.AccessToken != "" && r.Header.Get("Authorization") != "Bearer "+g.AccessToken {
		refuse(w, http.StatusUnauthorized, 190, "Invalid OAuth access token")
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	if err != nil {
		return
	}
	var message outbound
	if json.Unmarshal(body, &message) != nil || message.MessagingProduct != "whatsapp" {
		refuse(w, http.StatusBadRequest, 100, "Invalid parameter")
		return
	}
	if message.Status == "read" {
		reply(w, http.StatusOK, []byte(`{"success":true}`))
		return
	}
	to := strings.TrimPrefix(message.To+message.Recipient, "+")
	if to == "" || message.Type == "" {
		refuse(w, http.StatusBadRequest, 100, "Invalid parameter")
		return
	}
	g.take(w, to, &message, body)
}

func (g *Graph) take(w http.ResponseWriter, to string, message *outbound, body []byte) {
	drawn, latency := g.dice.draw()
	if latency > 0 {
		time.Sleep(latency)
	}
	switch drawn {
	case serverError:
		refuse(w, http.StatusInternalServerError, 131000, "Something went wrong")
		return
	case rateLimited:
		refuse(w, http.StatusTooManyRequests, 130429, "Rate limit hit")
		return
	case brokenBefore:
		panic(http.ErrAbortHandler)
	}
	id := g.prefix + strconv.FormatUint(g.count.Add(1), 36)
	if g.Taken != nil {
		g.Taken(Taken{
			ID: id, ReplyID: message.ReplyID, To: to, Type: message.Type, Text: message.Text.Body, Body: body,
			Broken: drawn == brokenAfter, At: time.Now(),
		})
	}
	if drawn == brokenAfter {
		panic(http.ErrAbortHandler)
	}
	out := append(make([]byte, 0, 160), `{"messaging_product":"whatsapp","contacts":[{"input":`...)
	out = appendString(out, to)
	out = append(out, `,"wa_id":`...)
	out = appendString(out, to)
	out = append(out, `}],"messages":[{"id":"`...)
	out = append(out, id...)
	reply(w, http.StatusOK, append(out, `"}]}`...))
}

func reply(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}

func refuse(w http.ResponseWriter, status, code int, message string) {
	reply(w, status, fmt.Appendf(nil, `{"error":{"message":%q,"type":"OAuthException","code":%d,"fbtrace_id":"emulated"}}`, message, code))
}
