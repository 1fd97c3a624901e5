package emulator

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// File is a file that the Graph keeps: one that a user sent, or one that the business uploaded.
type File struct {
	// MIMEType is that of the content, such as image/jpeg.
	MIMEType string
	// Content is not to be changed.
	Content []byte
	// PhoneNumberID is the number that may read it by its id.
	PhoneNumberID string
}

const (
	// maxKept bounds what is kept, in bytes; the oldest are forgotten.
	maxKept = 256 << 20
	// maxUpload is the largest file that WhatsApp takes, with what a form adds.
	maxUpload = 100<<20 + 1<<16
	// addressLife is how long an address can be read (Meta, "Media").
	addressLife = 5 * time.Minute
)

// files keeps files by their ids, which are digits as Meta's are.
type files struct {
	prefix string

	mu      sync.Mutex
	kept    map[string]File
	order   []string
	bytes   int
	count   int
	uploads int
}

func newFiles() *files {
	n, _ := rand.Int(rand.Reader, big.NewInt(1e6)) // never fails
	return &files{prefix: fmt.Sprintf("77%06d", n), kept: map[string]File{}}
}

// Keep keeps a file that a user sends, and returns its id.
func (g *Graph) Keep(f File) (id string) { return g.files.keep(f) }

// Kept returns a file.
func (g *Graph) Kept(id string) (File, bool) {
	g.files.mu.Lock()
	defer g.files.mu.Unlock()
	f, ok := g.files.kept[id]
	return f, ok
}

// Forget forgets a file, as the provider does after 7 days with a user's and 30 with an uploaded
// one.
func (g *Graph) Forget(id string) {
	g.files.mu.Lock()
	defer g.files.mu.Unlock()
	g.files.bytes -= len(g.files.kept[id].Content)
	delete(g.files.kept, id)
}

// Uploads is how many files the business has uploaded.
func (g *Graph) Uploads() int {
	g.files.mu.Lock()
	defer g.files.mu.Unlock()
	return g.files.uploads
}

func (s *files) keep(f File) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	id = s.prefix + fmt.Sprintf("%06d", s.count)
	s.kept[id], s.order, s.bytes = f, append(s.order, id), s.bytes+len(f.Content)
	for s.bytes > maxKept && len(s.order) > 1 {
		s.bytes -= len(s.kept[s.order[0]].Content)
		delete(s.kept, s.order[0])
		s.order = s.order[1:]
	}
	return id
}

// lacks reports whether an id is one of this Graph's that it keeps no longer, or another number's.
// Ids of other makes are taken for known: tests and load generators invent them.
func (s *files) lacks(number, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, kept := s.kept[id]
	return strings.HasPrefix(id, s.prefix) && (!kept || f.PhoneNumberID != number)
}

// serveFiles answers what is asked about files; false where the request is about something else.
//
//	POST /{version}/{phone number id}/media     stores a file, and answers its id
//	GET  /{version}/{media id}                  describes a file, and where it can be read
//	GET  /files/{media id}?ext={until}          reads a file
func (g *Graph) serveFiles(w http.ResponseWriter, r *http.Request) bool {
	switch number, upload := strings.CutSuffix(withoutVersion(r.URL.Path), "/media"); {
	case r.Method == http.MethodPost && upload && !strings.Contains(number, "/"):
		g.upload(w, r, number)
	case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/files/"):
		g.read(w, r, strings.TrimPrefix(r.URL.Path, "/files/"))
	case r.Method == http.MethodGet:
		g.describe(w, r, withoutVersion(r.URL.Path))
	default:
		return false
	}
	return true
}

func withoutVersion(path string) string {
	path = strings.TrimPrefix(path, "/")
	if version, rest, two := strings.Cut(path, "/"); two && strings.HasPrefix(version, "v") {
		return rest
	}
	return path
}

// errNoFile is what Meta answers for an id that it does not know, or that is another number's.
var errNoFile = &refusal{http.StatusBadRequest, 100, "Unsupported get request. Object does not exist", ""}

func (g *Graph) describe(w http.ResponseWriter, r *http.Request, id string) {
	f, ok := g.Kept(id)
	if number := r.URL.Query().Get("phone_number_id"); !ok || number != "" && number != f.PhoneNumberID {
		refuse(w, errNoFile)
		return
	}
	sum := sha256.Sum256(f.Content)
	body, _ := json.Marshal(map[string]any{
		"messaging_product": "whatsapp", "id": id, "mime_type": f.MIMEType, "sha256": hex.EncodeToString(sum[:]),
		"file_size": strconv.Itoa(len(f.Content)),
		"url":       fmt.Sprintf("http://%s/files/%s?ext=%d", r.Host, id, time.Now().Add(addressLife).Unix()),
	})
	answer(w, http.StatusOK, body)
}

func (g *Graph) read(w http.ResponseWriter, r *http.Request, id string) {
	until, err := strconv.ParseInt(r.URL.Query().Get("ext"), 10, 64)
	f, ok := g.Kept(id)
	if err != nil || !ok || time.Now().Unix() >= until {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.MIMEType)
	w.Header().Set("Content-Length", strconv.Itoa(len(f.Content)))
	_, _ = io.Copy(w, bytes.NewReader(f.Content))
}

// upload stores the part "file" of a form.
func (g *Graph) upload(w http.ResponseWriter, r *http.Request, number string) {
	f, product, err := readForm(http.MaxBytesReader(w, r.Body, maxUpload), r.Header.Get("Content-Type"))
	switch {
	case err != nil || len(f.Content) == 0:
		refuse(w, invalid("The form holds no file, or is too large."))
		return
	case product != "whatsapp":
		refuse(w, invalid("The parameter messaging_product must be \"whatsapp\"."))
		return
	case largest(f.MIMEType) < len(f.Content):
		refuse(w, &refusal{http.StatusBadRequest, 131053, "Media upload error", "The file is too large for its type."})
		return
	}
	f.PhoneNumberID = number
	id := g.files.keep(f)
	g.files.mu.Lock()
	g.files.uploads++
	g.files.mu.Unlock()
	answer(w, http.StatusOK, []byte(`{"id":"`+id+`"}`))
}

// readForm reads an upload. The type of the file is the field "type", or that of its part.
func readForm(body io.Reader, contentType string) (f File, product string, err error) {
	_, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		return f, "", err
	}
	form := multipart.NewReader(body, parameters["boundary"])
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			return f, product, nil
		} else if err != nil {
			return f, product, err
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return f, product, err
		}
		switch part.FormName() {
		case "messaging_product":
			product = string(text)
		case "type":
			f.MIMEType = string(text)
		case "file":
			if f.Content = text; f.MIMEType == "" {
				f.MIMEType = part.Header.Get("Content-Type")
			}
		}
	}
}

// largest is the largest file of a type, in bytes (Meta, "Supported media types").
func largest(mimeType string) int {
	kind, _, _ := strings.Cut(mimeType, "/")
	switch {
	case mimeType == "image/webp":
		return 500 << 10
	case kind == "image":
		return 5 << 20
	case kind == "audio" || kind == "video":
		return 16 << 20
	}
	return 100 << 20
}

// fileOf is the file that a message names by its id, as a part of its own or in a header; empty
// where it names none.
func fileOf(kind string, body []byte) string {
	var objects map[string]json.RawMessage
	var named file
	if json.Unmarshal(body, &objects) != nil {
		return ""
	}
	var i struct{ Header *header }
	if kind == "interactive" && json.Unmarshal(objects[kind], &i) == nil && i.Header != nil {
		return i.Header.words().GetMedia().GetId()
	}
	_ = json.Unmarshal(objects[kind], &named) // all else that has an id is no file
	return named.ID
}
