package emulator

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wactor/wactor/whatsapp"
)

var number = Number{PhoneNumberID: "100", AppSecret: "secret"}

func TestMessagesAreWhatWhatsAppSends(t *testing.T) {
	body := number.Messages(
		Message{ID: "wamid.1", User: "4915", UserID: "US.1", Name: "Ana \"A\" \u2028", SentMs: 1_700_000_000_900, Text: "h\u00e9\n\"\\"},
		Message{ID: "wamid.2", User: "4916", Name: "Bo", SentMs: 1_700_000_001_000, Tap: &Tap{ID: "y", Title: "Yes", Prompt: "wamid.0"}},
		Message{ID: "wamid.3", UserID: "US.3", Name: "Cy", SentMs: 1_700_000_001_000, Tap: &Tap{List: true, ID: "r", Title: "Row", Prompt: "wamid.0"}},
	)
	if !whatsapp.Verify([]string{"secret"}, number.Sign(body), body) {
		t.Fatal("the signature does not verify")
	}
	decoded, err := whatsapp.Decode(body)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range decoded.Messages {
		got = append(got, strings.Join([]string{m.Message.Id, m.User.WaId, m.User.UserId, m.User.Name, m.Message.Type, m.Message.Text, m.Message.Choice.GetId(), m.Message.ContextId}, "|"))
	}
	want := []string{
		"wamid.1|4915|US.1|Ana \"A\" \u2028|text|h\u00e9\n\"\\||",
		"wamid.2|4916||Bo|button_reply|Yes|y|wamid.0",
		"wamid.3||US.3|Cy|list_reply|Row|r|wamid.0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestStatusesAreWhatWhatsAppSends(t *testing.T) {
	body := number.Statuses(
		Status{ID: "wamid.r", ReplyID: "w1.a.b.4915", User: "4915", Status: "delivered", AtMs: 1_700_000_000_000},
		Status{ID: "wamid.s", ReplyID: "w1.a.c.4915", User: "4915", Status: "failed", AtMs: 1_700_000_000_000, Code: 131026},
	)
	decoded, err := whatsapp.Decode(body)
	if err != nil || len(decoded.Statuses) != 2 {
		t.Fatalf("%v, %v", decoded, err)
	}
	if s := decoded.Statuses[1]; s.ReplyID != "w1.a.c.4915" || s.Status != "failed" || s.ErrorCode != 131026 {
		t.Fatalf("status %+v", s)
	}
}

func TestGraphTakesAndRefuses(t *testing.T) {
	var taken []Taken
	graph := NewGraph("token", Faults{}, func(m Taken) { taken = append(taken, m) })
	server := httptest.NewServer(graph)
	defer server.Close()
	post := func(path, token, body string) int {
		request, _ := http.NewRequest(http.MethodPost, server.URL+path, strings.NewReader(body))
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		io.Copy(io.Discard, response.Body)
		return response.StatusCode
	}
	const text = `{"messaging_product":"whatsapp","to":"+4915","type":"text","biz_opaque_callback_data":"r1","text":{"body":"hi"}}`
	for _, c := range []struct {
		path, token, body string
		want              int
	}{
		{"/v26.0/100/messages", "token", text, 200},
		{"/v26.0/100/messages", "other", text, 401},
		{"/v26.0/100/media", "token", text, 404},
		{"/100/messages", "token", `{}`, 400},
		{"/100/messages", "token", `{"messaging_product":"whatsapp","status":"read","message_id":"wamid.1"}`, 200},
		{"/100/messages", "token", `{"messaging_product":"whatsapp","type":"text"}`, 400},
	} {
		if got := post(c.path, c.token, c.body); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.path, c.body, got, c.want)
		}
	}
	if len(taken) != 1 || taken[0].To != "4915" || taken[0].Text != "hi" || taken[0].ReplyID != "r1" || taken[0].ID == "" {
		t.Fatalf("taken %+v", taken)
	}
}

func TestFaultsComeInTheirShares(t *testing.T) {
	d := newDice(Faults{ServerErrors: 0.1, RateLimited: 0.2, BrokenBefore: 0.1, BrokenAfter: 0.3, Seed: 7})
	counts := map[fault]int{}
	const rolls = 20_000
	for range rolls {
		f, _ := d.draw()
		counts[f]++
	}
	for f, share := range map[fault]float64{noFault: 0.3, serverError: 0.1, rateLimited: 0.2, brokenBefore: 0.1, brokenAfter: 0.3} {
		if got := float64(counts[f]) / rolls; got < share-0.02 || got > share+0.02 {
			t.Errorf("fault %d: %.3f of all, want %.1f", f, got, share)
		}
	}
}

func TestGraphBreaksConnections(t *testing.T) {
	for _, c := range []struct {
		faults Faults
		taken  int
	}{{Faults{BrokenAfter: 1}, 1}, {Faults{BrokenBefore: 1}, 0}} {
		taken := 0
		server := httptest.NewServer(NewGraph("", c.faults, func(m Taken) { taken++ }))
		_, err := http.Post(server.URL+"/1/messages", "application/json",
			strings.NewReader(`{"messaging_product":"whatsapp","to":"1","type":"text","text":{"body":"hi"}}`))
		server.Close()
		if err == nil || taken != c.taken {
			t.Errorf("%+v: error %v, taken %d, want %d", c.faults, err, taken, c.taken)
		}
	}
}
