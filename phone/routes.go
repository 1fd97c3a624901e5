package phone

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

//go:embed page
var files embed.FS

var page = template.Must(template.ParseFS(files, "page/phone.html"))

func (p *Phone) routes() {
	p.mux.HandleFunc("GET /{$}", p.page)
	p.mux.HandleFunc("GET /phone/{file}", p.asset)
	p.mux.HandleFunc("GET /phone/events", p.events)
	p.mux.HandleFunc("POST /phone/send", p.send)
}

// policy lets the page load nothing but what is served here.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (p *Phone) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "no-referrer")
	_ = page.Execute(w, map[string]string{"Bot": p.options.Bot})
}

func (p *Phone) asset(w http.ResponseWriter, r *http.Request) {
	types := map[string]string{"phone.js": "text/javascript", "bubbles.js": "text/javascript", "phone.css": "text/css"}
	name := r.PathValue("file")
	body, err := files.ReadFile("page/" + name)
	if types[name] == "" || err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", types[name]+"; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(body)
}

// events streams what happens, after what the page has seen already.
func (p *Phone) events(w http.ResponseWriter, r *http.Request) {
	seen, _ := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64)
	past, listener := p.history.since(seen)
	defer p.history.leave(listener)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // the server's limit is for requests; this one lasts
	for _, e := range past {
		writeEvent(w, e)
	}
	fmt.Fprint(w, "event: ready\ndata: {}\n\n")
	_ = control.Flush()
	for {
		select {
		case e, ok := <-listener:
			if !ok {
				return
			}
			writeEvent(w, e)
			if control.Flush() != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

func writeEvent(w http.ResponseWriter, e Event) {
	body, err := json.Marshal(e)
	if err != nil {
		return // a reply that is no JSON was not taken
	}
	fmt.Fprintf(w, "id: %d\ndata: %s\n\n", e.Seq, body)
}

// sendRequest is what the page asks to send: texts, all at once, or a tap.
type sendRequest struct {
	User  string   `json:"user"`
	Name  string   `json:"name"`
	Texts []string `json:"texts"`
	Tap   *struct {
		List   bool   `json:"list"`
		ID     string `json:"id"`
		Title  string `json:"title"`
		Prompt string `json:"prompt"`
	} `json:"tap"`
	// Twice sends the same webhook a second time at the same moment.
	Twice bool `json:"twice"`
}

var digits = regexp.MustCompile(`^[0-9]{5,20}$`)

const (
	maxSend  = 64 << 10
	maxTexts = 20
	maxText  = 4096 // characters
)

func (s *sendRequest) check() string {
	switch {
	case !digits.MatchString(s.User):
		return "the user's number must have 5 to 20 digits"
	case utf8.RuneCountInString(s.Name) > 100:
		return "the name is too long"
	case len(s.Texts) == 0 && s.Tap == nil:
		return "there is nothing to send"
	case len(s.Texts) > maxTexts:
		return "too many messages at once"
	}
	for _, text := range s.Texts {
		if strings.TrimSpace(text) == "" || utf8.RuneCountInString(text) > maxText {
			return "a message has 1 to 4096 characters"
		}
	}
	return ""
}

// send posts webhooks. Only the page itself may ask for it: a form on another site could write in somebody's name.
func (p *Phone) send(w http.ResponseWriter, r *http.Request) {
	if !sameOrigin(r) {
		http.Error(w, "only the phone's own page may send", http.StatusForbidden)
		return
	}
	var request sendRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxSend)).Decode(&request); err != nil {
		http.Error(w, "the request is not the JSON that is expected", http.StatusBadRequest)
		return
	}
	if problem := request.check(); problem != "" {
		http.Error(w, problem, http.StatusBadRequest)
		return
	}
	p.deliver(&request)
	w.WriteHeader(http.StatusNoContent)
}

func sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin, err := url.Parse(r.Header.Get("Origin"))
	return r.Header.Get("Origin") == "" || err == nil && origin.Host == r.Host
}
