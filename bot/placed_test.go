package bot

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// shelf is a FileStore for tests.
type shelf struct {
	err   error
	known bool
}

func (s shelf) Place(_ context.Context, replies []*wactorv1.Reply) error {
	for _, r := range replies {
		if m := r.GetMedia(); m != nil {
			m.Id, m.Data = "stored", nil
		}
	}
	return s.err
}

func (s shelf) PlaceKnown([]*wactorv1.Reply) bool { return s.known }

// TestDataOfAnHTTPBotIsStored: a file of 9 MiB comes as base64, and leaves as an id.
func TestDataOfAnHTTPBotIsStored(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		data := base64.StdEncoding.EncodeToString(make([]byte, 9<<20))
		fmt.Fprintf(w, `{"replies":[{"media":{"type":"document","data":%q,"filename":"a.bin"}}]}`, data)
	}))
	defer server.Close()
	h, err := NewHTTP(HTTPConfig{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	answer, err := Placed(h, shelf{}).Turn(t.Context(), &conversation.Turn{ID: "t"})
	if err != nil || answer.Replies[0].GetMedia().Id != "stored" {
		t.Error(err)
	}
	for _, c := range []struct {
		err       error
		retryable bool
	}{
		{fmt.Errorf("replies[0]: %w", provider.ErrFileRejected), false}, {errors.New("graph: timeout"), true},
	} {
		var failed *conversation.BotError
		_, err := Placed(h, shelf{err: c.err}).Turn(t.Context(), &conversation.Turn{ID: "t"})
		if !errors.As(err, &failed) || failed.Retryable != c.retryable ||
			!strings.Contains(failed.Reason, c.err.Error()) {
			t.Errorf("%v: %v", c.err, err)
		}
	}
}

// inlineBot answers at once.
type inlineBot struct{ Bot }

func (inlineBot) Inline(*conversation.Turn) (*conversation.Answer, bool, error) {
	return &conversation.Answer{}, true, nil
}

// TestInlineAnswersWaitForNoUpload: a turn whose files are not stored yet is run beside the actor.
func TestInlineAnswersWaitForNoUpload(t *testing.T) {
	for _, known := range []bool{false, true} {
		b := Placed(inlineBot{}, shelf{known: known}).(Inliner)
		if _, ok, err := b.Inline(&conversation.Turn{}); ok != known || err != nil {
			t.Errorf("known %v: %v, %v", known, ok, err)
		}
	}
}
