package node

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// TestOneUserUnderManyNames: a user comes under a BSUID, then with a phone, then changes the
// number, through the real webhook path and over a restart. It stays one conversation, and its
// timeline is found under every name.
func TestOneUserUnderManyNames(t *testing.T) {
	w := newWorld(t)
	cfg := w.counter()
	n := w.start(cfg)
	number := emulator.Number{PhoneNumberID: testPhoneNumber, AppSecret: testSecret}
	k := 0
	send := func(user, userID string) {
		t.Helper()
		k++
		body := number.Messages(emulator.Message{
			ID: fmt.Sprint("wamid.", k), User: user, UserID: userID, Name: "Ana", SentMs: time.Now().UnixMilli(),
			Text: fmt.Sprint("m", k),
		})
		if status := w.post(n, body); status != http.StatusOK {
			t.Fatalf("message %d: status %d", k, status)
		}
	}
	awaitStep := func() {
		t.Helper()
		want := fmt.Sprintf("step %d: m%d", k, k)
		for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
			w.mu.Lock()
			last := ""
			if len(w.taken) > 0 {
				last = w.taken[len(w.taken)-1].text
			}
			w.mu.Unlock()
			if last == want {
				return
			}
			if time.Since(begin) > 15*time.Second {
				t.Fatalf("the last reply is %q, want %q", last, want)
			}
		}
	}
	send("4915100000001", "DE.abc")
	awaitStep()
	send("", "DE.abc") // the phone is withheld
	awaitStep()
	send("4915100000001", "") // and comes back alone
	awaitStep()
	w.stop(n)
	n = w.start(cfg)
	changed := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",`+
		`"metadata":{"phone_number_id":%q},"messages":[{"from":"4915100000001","id":"wamid.sys","timestamp":"%d","type":"system",`+
		`"system":{"type":"user_changed_number","wa_id":"4915100000002","user_id":"DE.xyz","body":"changed"}}]}}]}]}`, testPhoneNumber, time.Now().Unix())
	if status := w.post(n, []byte(changed)); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	client := wactorv1connect.NewAdminServiceClient(w.client, "http://"+n.AdminAddr())
	versions := func() map[string]uint64 {
		out := map[string]uint64{}
		for _, name := range []string{"4915100000001", "DE.abc", "4915100000002", "DE.xyz"} {
			response, err := client.Trace(context.Background(), connect.NewRequest(&wactorv1.TraceRequest{User: name}))
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range response.Msg.Conversations {
				out[name] = c.Version
				if len(c.Violations) > 0 {
					t.Errorf("%s: %v", name, c.Violations)
				}
			}
		}
		return out
	}
	for begin := time.Now(); len(versions()) < 4 && time.Since(begin) < 10*time.Second; {
		time.Sleep(10 * time.Millisecond)
	}
	send("4915100000002", "DE.xyz")
	awaitStep()
	v := versions()["4915100000001"]
	if diff := cmp.Diff(map[string]uint64{"4915100000001": v, "DE.abc": v, "4915100000002": v, "DE.xyz": v},
		versions()); diff != "" || v < 4 {
		t.Errorf("the names lead to different conversations (version %d): %s", v, diff)
	}
}
