package phone

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/wactor/wactor/whatsapp"
	"github.com/wactor/wactor/whatsapp/emulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a phone with an echoing bot behind it.
type world struct {
	phone    *Phone
	page     *httptest.Server
	webhooks chan *whatsapp.Webhook
	status   int
}

func newWorld(t *testing.T) *world {
	w := &world{webhooks: make(chan *whatsapp.Webhook, 100), status: http.StatusOK}
	number := emulator.Number{PhoneNumberID: "100", AppSecret: "secret"}
	var graph *httptest.Server
	client := &http.Client{Transport: &http.Transport{}}
	bot := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !whatsapp.Verify([]string{"secret"}, r.Header.Get(whatsapp.SignatureHeader), body) {
			t.Error("a webhook is not signed")
		}
		webhook, err := whatsapp.Decode(body)
		if err != nil {
			t.Error(err)
			return
		}
		w.webhooks <- webhook
		rw.WriteHeader(w.status)
		for _, m := range webhook.Messages {
			reply := fmt.Sprintf(`{"messaging_product":"whatsapp","to":"+%s","type":"text","biz_opaque_callback_data":"r","text":{"body":"echo %s"}}`, m.User.WaId, m.Message.Text)
			request, _ := http.NewRequest(http.MethodPost, graph.URL+"/v1/100/messages", strings.NewReader(reply))
			request.Header.Set("Authorization", "Bearer token")
			response, err := client.Do(request)
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close()
		}
	}))
	w.phone = New(Options{Number: number, AccessToken: "token", Bot: "Echo", WebhookURL: func() string { return bot.URL }})
	graph = httptest.NewServer(w.phone.GraphHandler())
	w.page = httptest.NewServer(w.phone)
	t.Cleanup(func() {
		w.phone.Disconnect()
		w.phone.Close()
		w.page.Close()
		bot.Close()
		graph.Close()
		client.CloseIdleConnections()
		http.DefaultClient.CloseIdleConnections()
	})
	return w
}

func (w *world) send(t *testing.T, body string, header ...string) int {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, w.page.URL+"/phone/send", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

// events reads n events of the stream.
func (w *world) events(t *testing.T, n int, after string) []Event {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.page.URL+"/phone/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Last-Event-ID", after)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var out []Event
	lines := bufio.NewScanner(response.Body)
	for len(out) < n && lines.Scan() {
		if data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: {\"seq\"")); ok {
			var e Event
			if err := json.Unmarshal(append([]byte("{\"seq\""), data...), &e); err != nil {
				t.Fatal(err)
			}
			out = append(out, e)
		}
	}
	return out
}

func TestMessageGoesTheWholeWay(t *testing.T) {
	w := newWorld(t)
	if status := w.send(t, `{"user":"4915100000001","name":"Ana","texts":["hi"]}`); status != http.StatusNoContent {
		t.Fatalf("status %d", status)
	}
	webhook := <-w.webhooks
	if m := webhook.Messages[0]; m.User.WaId != "4915100000001" || m.User.Name != "Ana" || m.Message.Text != "hi" || m.PhoneNumberID != "100" {
		t.Errorf("webhook %+v", webhook.Messages[0])
	}
	kinds := map[string]Event{}
	for _, e := range w.events(t, 3, "") {
		kinds[e.Kind] = e
	}
	if kinds["sent"].Text != "hi" || kinds["webhook"].Status != 200 || !strings.Contains(string(kinds["reply"].Content), "echo hi") {
		t.Errorf("events %+v", kinds)
	}
	var statuses []string
	for len(statuses) < 3 {
		for _, s := range (<-w.webhooks).Statuses {
			statuses = append(statuses, s.Status+" "+s.ReplyID)
		}
	}
	if got := strings.Join(statuses, ", "); got != "sent r, delivered r, read r" {
		t.Errorf("statuses %s", got)
	}
	if events := w.events(t, 1, fmt.Sprint(kinds["sent"].Seq)); events[0].Seq <= kinds["sent"].Seq {
		t.Errorf("the stream repeats what was seen: %+v", events)
	}
}

func TestTapsAndExperiments(t *testing.T) {
	w := newWorld(t)
	w.send(t, `{"user":"4915100000001","tap":{"list":true,"id":"r1","title":"Row","prompt":"wamid.p"}}`)
	if m := (<-w.webhooks).Messages[0].Message; m.Type != "list_reply" || m.Choice.Id != "r1" || m.ContextId != "wamid.p" {
		t.Errorf("tap %+v", m)
	}
	ids := func(n int) map[string]int {
		out := map[string]int{}
		for n > 0 {
			for _, m := range (<-w.webhooks).Messages {
				out[m.Message.Id]++
				n--
			}
		}
		return out
	}
	w.send(t, `{"user":"4915100000001","texts":["1","2","3","4","5"]}`)
	if got := ids(5); len(got) != 5 {
		t.Errorf("five at once: ids %v", got)
	}
	w.send(t, `{"user":"4915100000001","texts":["x"],"twice":true}`)
	if got := ids(2); len(got) != 1 {
		t.Errorf("one twice: ids %v", got)
	}
}

func TestOnlyThePageMaySend(t *testing.T) {
	w := newWorld(t)
	const good = `{"user":"4915100000001","texts":["hi"]}`
	for name, c := range map[string]struct {
		body   string
		header []string
		want   int
	}{
		"another site":     {good, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another origin":   {good, []string{"Origin", "http://evil.example"}, 403},
		"the page":         {good, []string{"Sec-Fetch-Site", "same-origin"}, 204},
		"no JSON":          {`x`, nil, 400},
		"no user":          {`{"texts":["hi"]}`, nil, 400},
		"nothing to send":  {`{"user":"4915100000001"}`, nil, 400},
		"too many at once": {`{"user":"4915100000001","texts":[` + strings.Repeat(`"a",`, 20) + `"a"]}`, nil, 400},
		"too large":        {`{"user":"4915100000001","texts":["` + strings.Repeat("a", maxSend) + `"]}`, nil, 400},
		"too long":         {`{"user":"4915100000001","texts":["` + strings.Repeat("a", maxText+1) + `"]}`, nil, 400},
	} {
		if got := w.send(t, c.body, c.header...); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestPageLoadsNothingElse(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", "/phone/phone.js", "/phone/bubbles.js", "/phone/phone.css"} {
		response, err := http.Get(w.page.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != 200 || len(body) == 0 || bytes.Contains(body, []byte("innerHTML")) {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
		if path == "/" && !strings.Contains(response.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Error("the page has no policy")
		}
	}
	response, err := http.Get(w.page.URL + "/phone/phone.html")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("the template is served: %d", response.StatusCode)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	h := newHistory()
	for i := range maxEvents + 10 {
		h.add("1", Event{Kind: "sent", ID: fmt.Sprint(i)})
	}
	for i := range maxUsers {
		h.add(fmt.Sprint("user", i), Event{Kind: "sent"})
	}
	events, listener := h.since(0)
	h.leave(listener)
	if len(h.events) != maxUsers || len(events) != maxUsers {
		t.Errorf("%d users, %d events", len(h.events), len(events))
	}
	slow := make(chan Event)
	h.listeners[slow] = true
	h.add("1", Event{})
	if _, open := <-slow; open || len(h.listeners) != 0 {
		t.Error("a listener that does not keep up was not cut off")
	}
}
