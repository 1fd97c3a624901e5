package phone

import (
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"path"
	"strings"
)

//go:embed page
var pageFiles embed.FS

var page = template.Must(template.ParseFS(pageFiles, "page/phone.html"))

func (p *Phone) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.page)
	mux.HandleFunc("GET /phone/{file}", asset)
	mux.HandleFunc("GET /phone/events", p.events)
	mux.HandleFunc("GET /phone/files/{id}", p.file)
	mux.HandleFunc("POST /phone/send", p.send)
	return guard(mux)
}

func (p *Phone) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cache-Control", "no-cache")
	_ = page.Execute(w, map[string]string{"Bot": p.options.Bot}) // it can fail only where the page was left
}

// types are the files of the page that are served, by their extension.
var types = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
}

func asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	kind, served := types[path.Ext(name)]
	body, err := pageFiles.ReadFile("page/" + name)
	if !served || err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(body)
}

// send posts webhooks in the name of a person. It answers 202 before the bot has answered: what
// became of them is reported by events.
func (p *Phone) send(w http.ResponseWriter, r *http.Request) {
	if media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); media != "application/json" {
		http.Error(w, "the body must be application/json", http.StatusUnsupportedMediaType)
		return
	}
	var request sendRequest
	body := http.MaxBytesReader(w, r.Body, maxSend+maxData/3*4)
	err := json.NewDecoder(body).Decode(&request)
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) || request.Media == nil &&
		r.ContentLength > maxSend {
		http.Error(w, "the request is too large", http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		http.Error(w, "the request is not the JSON that is expected", http.StatusBadRequest)
		return
	}
	messages, err := request.drafts()
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	times := 1
	if request.Twice {
		times = 2
	}
	if err := p.deliver(messages, times); err != nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}
