package emulator

import (
	"crypto/rand"
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
	// PhoneNumberID is the number that sent it.
	PhoneNumberID string
	// To is the recipient: the phone without a plus sign, or the BSUID.
	To string
	// Type is text, interactive, ...; Text is the body where it is a text.
	Type, Text string
	// Body is the request as it came. It is not to be changed.
	Body []byte
	// Broken says that the business never gets the answer: a fault breaks the connection, or the
	// business was gone before.
	Broken bool
	At     time.Time
}

// Graph is a fake Graph API: a handler of POST /{version}/{phone number id}/messages, and of what
// is asked about files (files.go); the version may be left out. It is safe for concurrent use; its
// fields are not to be changed while it serves.
type Graph struct {
	// AccessToken is asked of every request; empty asks for none.
	AccessToken string
	// Taken is called for every message that is taken, before it is answered, on the request's
	// goroutine: the business waits for it. Marks of reading are answered, and not reported.
	Taken func(Taken)

	dice   *dice
	files  *files
	prefix string
	count  atomic.Uint64
}

// NewGraph returns a Graph that takes every message, unless the faults want it otherwise.
func NewGraph(accessToken string, faults Faults, taken func(Taken)) *Graph {
	return &Graph{AccessToken: accessToken, Taken: taken, dice: newDice(faults), files: newFiles(),
		prefix: "wamid.e" + rand.Text()[:12] + "."}
}

// maxRequest bounds a request to the Graph API, in bytes. It is far above what the limits of
// messages allow.
const maxRequest = 1 << 20

// ServeHTTP answers one request.
func (g *Graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.AccessToken != "" && r.Header.Get("Authorization") != "Bearer "+g.AccessToken {
		refuse(w, errToken)
		return
	}
	if g.serveFiles(w, r) {
		return
	}
	number, ok := phoneNumberOf(r.URL.Path)
	if !ok || r.Method != http.MethodPost {
		refuse(w, errPath)
		return
	}
	body, err := readBody(r)
	if err != nil {
		refuse(w, invalid("The body is too large, or was cut off."))
		return
	}
	message, refused := readRequest(body)
	switch {
	case refused != nil:
		refuse(w, refused)
	case message.isReceipt():
		answer(w, http.StatusOK, []byte(`{"success":true}`))
	case message.Type != "text" && g.files.lacks(number, fileOf(message.Type, body)):
		refuse(w, invalid("The id is not a valid whatsapp business account media attachment ID."))
	default:
		g.take(w, r, Taken{
			ReplyID: message.ReplyID, PhoneNumberID: number, To: message.recipient(), Type: message.Type,
			Text: message.body(), Body: body,
		})
	}
}

// phoneNumberOf reads /{version}/{phone number id}/messages.
func phoneNumberOf(path string) (string, bool) {
	rest, ok := strings.CutSuffix(strings.TrimPrefix(path, "/"), "/messages")
	if version, number, two := strings.Cut(rest, "/"); two {
		rest, ok = number, ok && strings.HasPrefix(version, "v")
	}
	return rest, ok && rest != "" && !strings.Contains(rest, "/")
}

func readBody(r *http.Request) ([]byte, error) {
	if r.ContentLength < 0 || r.ContentLength > maxRequest {
		return io.ReadAll(http.MaxBytesReader(nil, r.Body, maxRequest))
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	return body, err
}

// take lets the faults decide about a message, and takes it.
func (g *Graph) take(w http.ResponseWriter, r *http.Request, t Taken) {
	drawn, latency := g.dice.draw()
	time.Sleep(latency) // even if the business goes meanwhile: the message is on its way then, and may be taken
	switch drawn {
	case serverError:
		refuse(w, errServer)
		return
	case rateLimited:
		refuse(w, errRateLimited)
		return
	case brokenBefore:
		panic(http.ErrAbortHandler)
	}
	t.ID = g.prefix + strconv.FormatUint(g.count.Add(1), 36)
	t.Broken, t.At = drawn == brokenAfter || r.Context().Err() != nil, time.Now()
	if g.Taken != nil {
		g.Taken(t)
	}
	if drawn == brokenAfter {
		panic(http.ErrAbortHandler)
	}
	out := append(make([]byte, 0, 192), `{"messaging_product":"whatsapp","contacts":[{"input":`...)
	out = appendString(out, t.To)
	out = appendMember(out, "wa_id", t.To)
	out = append(out, `}],"messages":[{"id":"`...)
	out = append(out, t.ID...)
	answer(w, http.StatusOK, append(out, `"}]}`...))
}

func answer(w http.ResponseWriter, status int, body []byte) {
	header := w.Header()
	header["Content-Type"] = contentType
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a business that is gone reads no answer
}

var contentType = []string{"application/json; charset=UTF-8"}

func refuse(w http.ResponseWriter, r *refusal) { answer(w, r.status, r.body()) }
