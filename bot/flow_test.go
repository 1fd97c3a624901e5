package bot

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/flow"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

const counterFlow = `
name: counter
start: count
steps:
  count:
    set: { n: "(vars.n ?? 0) + 1" }
    say: "step {{ vars.n }}: {{ message.text }}"
    wait: count
`

func flowBot(t *testing.T, source string) *Flow {
	t.Helper()
	parsed, err := flow.Parse("test.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	b := NewFlow(parsed, DefaultBudget)
	t.Cleanup(func() { b.Close() })
	return b
}

func textTurn(state string, texts ...string) *conversation.Turn {
	turn := &conversation.Turn{ID: "turn", Attempt: 1, Now: time.Unix(1, 0), User: &wactorv1.User{Id: "1"}}
	if state != "" {
		turn.State = json.RawMessage(state)
	}
	for _, text := range texts {
		turn.Messages = append(turn.Messages, &wactorv1.Message{Type: "text", Text: text})
	}
	return turn
}

func said(answer *conversation.Answer) string {
	var texts []string
	for _, reply := range answer.Replies {
		texts = append(texts, reply.GetText())
	}
	return strings.Join(texts, " | ")
}

func TestFlowAnswersInline(t *testing.T) {
	b := flowBot(t, counterFlow)
	state := ""
	for _, want := range []string{"step 1: a", "step 2: a"} {
		answer, ok, err := b.Inline(textTurn(state, "a"))
		if err != nil || !ok || said(answer) != want {
			t.Fatalf("inline: %v %v %v, want %q", answer, ok, err, want)
		}
		state = string(answer.State)
	}
}

func TestFlowRunsOverSeveralMessages(t *testing.T) {
	b := flowBot(t, counterFlow)
	answer, err := b.Turn(context.Background(), textTurn("", "a", "b", "c"))
	if err != nil || said(answer) != "step 1: a | step 2: b | step 3: c" {
		t.Fatalf("%v, %v", answer, err)
	}
	next, err := b.Turn(context.Background(), textTurn(string(answer.State), "d"))
	if err != nil || said(next) != "step 4: d" {
		t.Fatalf("the last state is not the turn's: %v, %v", next, err)
	}
}

func TestFlowKnowsTheWindow(t *testing.T) {
	b := flowBot(t, "name: w\nstart: a\nsteps:\n  a:\n    say: \"{{ window_open }}\"\n    wait: a\n")
	now := time.Unix(1_700_000_000, 0)
	for until, want := range map[time.Time]string{{}: "true", now.Add(time.Second): "true", now: "false",
		now.Add(-time.Hour): "false"} {
		turn := textTurn("", "a")
		turn.Now, turn.WindowUntil = now, until
		if answer, _, err := b.Inline(turn); err != nil || said(answer) != want {
			t.Errorf("until %v: %v, %v; want %s", until, answer, err, want)
		}
	}
}

func callingFlow(url string) string {
	return `
name: caller
start: ask
steps:
  ask:
    call: { url: "` + url + `/stock", method: POST, body: { item: "{{ message.text }}" }, timeout: 500ms, save: stock }
    say: "{{ vars.stock.left }} left"
    wait: ask
`
}

func TestFlowCallsAService(t *testing.T) {
	var keys, bodies []string
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		keys, bodies = append(keys, r.Header.Get("Idempotency-Key")), append(bodies, string(body))
		io.WriteString(w, `{"left": 7}`)
	}))
	defer service.Close()
	b := flowBot(t, callingFlow(service.URL))
	if _, ok, err := b.Inline(textTurn("", "shoes")); ok || err != nil {
		t.Fatalf("a turn that calls a service was answered inline: %v, %v", ok, err)
	}
	if len(keys) != 0 {
		t.Fatal("the inline run called the service")
	}
	for range 2 { // a repeated turn repeats its keys
		answer, err := b.Turn(context.Background(), textTurn("", "shoes", "hats"))
		if err != nil || said(answer) != "7 left | 7 left" {
			t.Fatalf("%v, %v", answer, err)
		}
	}
	if bodies[0] != `{"item":"shoes"}` || keys[0] == keys[1] || keys[0] != keys[2] || keys[1] != keys[3] {
		t.Fatalf("bodies %q, keys %q", bodies, keys)
	}
}

func TestFlowClassesFailedCalls(t *testing.T) {
	answers := map[string]http.HandlerFunc{
		"status 503": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) },
		"status 404": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) },
		"status 302": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		},
		"timeout": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
		"unreachable":      func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
		"answer too large": func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, maxServiceAnswer+1)) },
	}
	retryable := map[string]bool{"status 503": true, "timeout": true, "unreachable": true}
	for reason, handler := range answers {
		t.Run(reason, func(t *testing.T) {
			service := httptest.NewServer(handler)
			defer service.Close()
			b := flowBot(t, callingFlow(service.URL))
			_, err := b.Turn(context.Background(), textTurn("", "a text of the user"))
			var failed *conversation.BotError
			if !errors.As(err, &failed) || failed.Retryable != retryable[reason] || !strings.Contains(failed.Reason,
				reason) {
				t.Fatalf("error %v", err)
			}
			if strings.Contains(failed.Reason, "a text of the user") {
				t.Fatal("the error holds the user's text")
			}
		})
	}
}

func TestFlowTurnEndsWithItsContext(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer service.Close()
	b := flowBot(t, callingFlow(service.URL))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.Turn(ctx, textTurn("", "a")); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want the context's", err)
	}
	b.Close()
	_, err := b.Turn(context.Background(), textTurn("", "a"))
	var failed *conversation.BotError
	if !errors.As(err, &failed) || !failed.Retryable {
		t.Fatalf("error after Close: %v, want a retryable one", err)
	}
}
