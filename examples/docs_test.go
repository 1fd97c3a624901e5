package examples

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wactor/wactor/bot"
	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/flow/fit"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider/cloudapi"
)

// documentedJSON returns the JSON blocks of docs/bots.md: a request, an answer, and a timer.
func documentedJSON(t *testing.T) [][]byte {
	t.Helper()
	src, err := os.ReadFile("../docs/bots.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks [][]byte
	for _, match := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(src, -1) {
		blocks = append(blocks, match[1])
	}
	if len(blocks) != 3 {
		t.Fatalf("%d JSON blocks, want 3", len(blocks))
	}
	return blocks
}

// exchange calls a bot that answers a fixed body, and returns what it was sent.
func exchange(t *testing.T, turn *conversation.Turn, answer []byte) (request []byte, got *conversation.Answer) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, _ = io.ReadAll(r.Body)
		_, _ = w.Write(answer)
	}))
	defer server.Close()
	called := bot.Checked(connect(t, server.URL, ""), fit.ModeRefuse, cloudapi.Check)
	got, err := called.Turn(t.Context(), turn)
	if err != nil {
		t.Fatal(err)
	}
	return request, got
}

// TestDocumentedRequest makes the turn that the page shows, and compares what goes over the wire,
// value by value.
func TestDocumentedRequest(t *testing.T) {
	sent := time.Date(2026, 9, 22, 13, 20, 0, 0, time.UTC)
	turn := &conversation.Turn{
		ID: "01K5T9Z0T3WQ6J8M", Attempt: 1, Conversation: conversation.ID{Channel: "shop", User: "1234567890"},
		Version: 7,
		User: &wactorv1.User{Id: "1234567890", WaId: "1234567890", UserId: "US.13491208655302741918", Name: "Ana",
			Username: "ana.k"},
		State: json.RawMessage(`{"step":"AWAITING_EMAIL"}`), WindowUntil: sent.Add(24 * time.Hour),
		Messages: []*wactorv1.Message{{
			Id: "wamid.HBgKMTIzNDU2Nzg5MBUCABIYFjNFQjA", Type: "text", Text: "ana@example.com",
			SentMs:     sent.UnixMilli(),
			ReceivedMs: sent.UnixMilli() + 412, Raw: []byte(`{"type":"text","text":{"body":"ana@example.com"}}`),
		}},
	}
	request, _ := exchange(t, turn, []byte(`{}`))
	var want, got any
	if err := json.Unmarshal(documentedJSON(t)[0], &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(request, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-page +wire):\n%s", diff)
	}
}

// TestDocumentedAnswers hands the answers of the page to a node's client, with the checks of
// WhatsApp behind it. The first one has each kind of reply.
func TestDocumentedAnswers(t *testing.T) {
	blocks := documentedJSON(t)
	_, answer := exchange(t, turnOf("1", "", "hello"), blocks[1])
	kinds := map[string]bool{}
	for _, reply := range answer.Replies {
		message := reply.ProtoReflect()
		kinds[string(message.WhichOneof(message.Descriptor().Oneofs().ByName("content")).Name())] = true
	}
	var all []string
	fields := (&wactorv1.Reply{}).ProtoReflect().Descriptor().Oneofs().ByName("content").Fields()
	for i := range fields.Len() {
		all = append(all, string(fields.Get(i).Name()))
	}
	slices.Sort(all)
	if diff := cmp.Diff(all, slices.Sorted(maps.Keys(kinds))); diff != "" {
		t.Errorf("kinds of replies (-contract +page):\n%s", diff)
	}
	_, timer := exchange(t, turnOf("2", "", "hello"), blocks[2])
	want := []conversation.SetTimer{{Name: "nudge", After: 10 * time.Minute}}
	if diff := cmp.Diff(want, timer.Timers); diff != "" {
		t.Errorf("timers (-want +got):\n%s", diff)
	}
}
