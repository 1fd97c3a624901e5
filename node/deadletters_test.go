package node

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
)

// TestOperatorsRetryAndSkip: a bot rejects a message for good; once the bot is fixed, the operator
// retries the message, and skips another.
func TestOperatorsRetryAndSkip(t *testing.T) {
	var fixed atomic.Bool
	program := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if !fixed.Load() {
			rw.WriteHeader(http.StatusBadRequest)
			return
		}
		io.WriteString(rw, `{"replies":[{"text":"done"}]}`)
	}))
	defer program.Close()
	w := newWorld(t)
	n := w.start(w.config(fmt.Sprintf("  bot: { http: { url: %q } }", program.URL)))
	const user = "4915100000001"
	w.send(n, user, "wamid.1", "first")
	w.send(n, user, "wamid.2", "second")
	if status := w.post(n, []byte(`{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"`+testPhoneNumber+`"},"messages":[{"id":7}]}}]}]}`)); status != http.StatusOK {
		t.Fatalf("a webhook that can't be read was answered %d", status)
	}
	client := wactorv1connect.NewAdminServiceClient(w.client, "http://"+n.AdminAddr())
	letters := func(user string) []*wactorv1.DeadLetter {
		t.Helper()
		response, err := client.DeadLetters(context.Background(),
			connect.NewRequest(&wactorv1.DeadLettersRequest{User: user}))
		if err != nil {
			t.Fatal(err)
		}
		if len(response.Msg.Conversations) == 0 {
			return nil
		}
		return response.Msg.Conversations[0].Letters
	}
	for begin := time.Now(); len(letters(user)) < 2; time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("dead letters %v", letters(user))
		}
	}
	fixed.Store(true)
	retry := func(user string, letter uint64) error {
		_, err := client.Retry(context.Background(), connect.NewRequest(&wactorv1.RetryRequest{User: user,
			Seq: letter}))
		return err
	}
	if err := retry(user, 1); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"done"}, w.await(user, 1)); diff != "" {
		t.Error(diff)
	}
	if err := retry(user, 1); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("the same letter again: %v", err)
	}
	if _, err := client.Skip(context.Background(), connect.NewRequest(&wactorv1.SkipRequest{User: user, Channel: "shop",
		Seq: 2})); err != nil {
		t.Error(err)
	}
	if left := letters(user); len(left) != 0 {
		t.Errorf("letters left: %v", left)
	}
	trace, err := client.Trace(context.Background(), connect.NewRequest(&wactorv1.TraceRequest{User: user}))
	if err != nil {
		t.Fatal(err)
	}
	var by []string
	for _, e := range trace.Msg.Conversations[0].Entries {
		if e.By != "" {
			by = append(by, e.Reason+" by "+e.By)
		}
	}
	want := []string{"dead letter retried by an operator by local", "dead letter skipped by an operator by local"}
	if diff := cmp.Diff(want, by); diff != "" {
		t.Errorf("the journal names who did it (-want +got):\n%s", diff)
	}
	if unread := letters("?"); len(unread) != 1 {
		t.Errorf("webhooks that can't be read: %v", unread)
	} else if err := retry("?", unread[0].Seq); connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("retry of a webhook that can't be read: %v", err)
	}
}
