package admin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// maxPost bounds the body of a post, in bytes.
const maxPost = 1 << 20

// REST serves Post and Posted to programs that speak plain HTTP; docs/api.md describes it.
func REST(s *Service) http.Handler {
	mux := http.NewServeMux()
	const messages = "/v1/channels/{channel}/conversations/{user}/messages"
	mux.HandleFunc("POST "+messages, rest{s}.post)
	mux.HandleFunc("GET "+messages+"/{key}", rest{s}.posted)
	return s.options.Gate.Identify(mux)
}

// rest answers plain HTTP.
type rest struct{ *Service }

func (s rest) post(w http.ResponseWriter, r *http.Request) {
	key, err := idempotencyKey(r.Header.Get("Idempotency-Key"))
	if err != nil {
		restError(w, err)
		return
	}
	request := &wactorv1.PostRequest{User: r.PathValue("user"), Channel: r.PathValue("channel"), Key: key}
	if err := readPost(http.MaxBytesReader(w, r.Body, maxPost), request); err != nil {
		restError(w, err)
		return
	}
	response, err := s.run(r.Context(), s.operations["Post"], request)
	if err != nil {
		restError(w, err)
		return
	}
	restAnswer(w, http.StatusAccepted, response.(*wactorv1.PostResponse).Posted)
}

func (s rest) posted(w http.ResponseWriter, r *http.Request) {
	response, err := s.run(r.Context(), s.operations["Posted"], &wactorv1.PostedRequest{User: r.PathValue("user"),
		Channel: r.PathValue("channel"), Key: r.PathValue("key")})
	if err != nil {
		restError(w, err)
		return
	}
	restAnswer(w, http.StatusOK, response)
}

// idempotencyKey reads the header, whose value may be a quoted string, as the IETF's draft has it.
func idempotencyKey(header string) (string, error) {
	key := strings.TrimSpace(header)
	if len(key) >= 2 && key[0] == '"' && key[len(key)-1] == '"' {
		key = key[1 : len(key)-1]
	}
	if key == "" {
		return "", invalid("the header Idempotency-Key is missing: it names what is posted, so that it is taken once")
	}
	return key, checkKey(key)
}

// readPost reads {"text"}, {"reply"} or {"event": {"name", "data"}}.
func readPost(body io.Reader, request *wactorv1.PostRequest) error {
	var post struct {
		Text  string          `json:"text"`
		Reply json.RawMessage `json:"reply"`
		Event *struct {
			Name string          `json:"name"`
			Data json.RawMessage `json:"data"`
		} `json:"event"`
	}
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&post)
	if err == nil && decoder.More() {
		err = errors.New("something follows the JSON object")
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return connect.NewError(connect.CodeResourceExhausted, errors.New("the body is larger than 1 MiB"))
	}
	if err != nil {
		return invalid("the body is not what is posted, in JSON: %w", err)
	}
	request.Text = post.Text
	if len(post.Reply) > 0 {
		request.Reply = &wactorv1.Reply{}
		if err := protojson.Unmarshal(post.Reply, request.Reply); err != nil {
			return invalid("reply: not a reply in the form of docs/bots.md: %w", err)
		}
	}
	if post.Event != nil {
		request.Event = &wactorv1.Event{Name: post.Event.Name, Data: post.Event.Data}
	}
	return nil
}

// statuses are the HTTP statuses of errors, the first that fits.
var statuses = []struct {
	err    error
	status int
	code   string
}{
	{delivery.ErrKeyInFlight, http.StatusConflict, "key_in_flight"},
	{delivery.ErrKeyReused, http.StatusUnprocessableEntity, "key_reused"},
	{delivery.ErrWindowClosed, http.StatusUnprocessableEntity, "window_closed"},
}

func restError(w http.ResponseWriter, err error) {
	status, code := http.StatusInternalServerError, connect.CodeOf(err).String()
	switch connect.CodeOf(err) {
	case connect.CodeInvalidArgument:
		status = http.StatusBadRequest
	case connect.CodeNotFound:
		status = http.StatusNotFound
	case connect.CodePermissionDenied:
		status = http.StatusForbidden
	case connect.CodeFailedPrecondition:
		status = http.StatusUnprocessableEntity
	case connect.CodeResourceExhausted:
		status = http.StatusRequestEntityTooLarge
	case connect.CodeUnavailable, connect.CodeAborted, connect.CodeDeadlineExceeded:
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	}
	for _, known := range statuses {
		if errors.Is(err, known.err) {
			status, code = known.status, known.code
			w.Header().Del("Retry-After")
		}
	}
	text := err.Error()
	if classed := (*connect.Error)(nil); errors.As(err, &classed) {
		text = classed.Message()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"code": code, "message": strings.TrimPrefix(text, "delivery: ")})
}

func restAnswer(w http.ResponseWriter, status int, message proto.Message) {
	body, err := protojson.Marshal(message)
	if err != nil {
		restError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
