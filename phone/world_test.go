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
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/cloudapi"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const user = "4915100000001"

// world is a phone with an echoing bot behind it.
type world struct {
	phone    *Phone
	page     *httptest.Server
	graph    *httptest.Server
	client   *http.Client
	webhooks chan *provider.Batch
	// refuse is how many webhooks the bot's server answers 503 before it takes any.
	refuse atomic.Int64
}

func newWorld(t *testing.T) *world {
	w := &world{webhooks: make(chan *provider.Batch, 100), client: &http.Client{Transport: &http.Transport{}}}
	bot := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.takeWebhook(t, rw,
			r)
	}))
	number := emulator.Number{PhoneNumberID: "100", AppSecret: "secret"}
	w.phone = New(Options{Number: number, AccessToken: "token", Bot: "Echo <i>",
		WebhookURL: func() string { return bot.URL }})
	w.graph = httptest.NewServer(w.phone.GraphHandler())
	w.page = httptest.NewServer(w.phone)
	t.Cleanup(func() {
		w.phone.Close()
		w.page.Close()
		bot.Close()
		w.graph.Close()
		w.client.CloseIdleConnections()
	})
	return w
}

// takeWebhook is the bot: it repeats what it receives.
func (w *world) takeWebhook(t *testing.T, rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if !provider.Authentic(&cloudapi.Codec{AppSecrets: []string{"secret"}}, r.Header, body) {
		t.Error("a webhook is not signed")
	}
	if w.refuse.Add(-1) >= 0 {
		rw.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	webhook, err := cloudapi.Decode(body)
	if err != nil || len(webhook.Unread) > 0 {
		t.Errorf("webhook %s: %v, unread %v", body, err, webhook.Unread)
		return
	}
	w.webhooks <- webhook
	for _, m := range webhook.Messages {
		w.callGraph(t, fmt.Sprintf(`{"messaging_product":"whatsapp","status":"read","message_id":%q,"typing_indicator":{"type":"text"}}`, m.Message.Id))
		w.callGraph(t, fmt.Sprintf(`{"messaging_product":"whatsapp","to":"+%s","type":"text","biz_opaque_callback_data":"r","text":{"body":"echo %.100s"}}`,
			m.User.WaId, m.Message.Text))
	}
}

func (w *world) callGraph(t *testing.T, body string) {
	request, _ := http.NewRequest(http.MethodPost, w.graph.URL+"/v26.0/100/messages", strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer token")
	if status, answer := w.do(t, request); status != http.StatusOK {
		t.Errorf("graph: %d %s", status, answer)
	}
}

func (w *world) do(t *testing.T, request *http.Request) (int, string) {
	response, err := w.client.Do(request)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

// send asks the phone to send; header are names and values, "Host" among them.
func (w *world) send(t *testing.T, body string, header ...string) int {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, w.page.URL+"/phone/send", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			request.Host = header[i+1]
		}
	}
	status, _ := w.do(t, request)
	return status
}

// message waits for the next webhook with a message.
func (w *world) message(t *testing.T) provider.Message {
	t.Helper()
	for webhook := range w.webhooks {
		if len(webhook.Messages) > 0 {
			return webhook.Messages[0]
		}
	}
	panic("the channel is never closed")
}

// events reads the stream until enough says so.
func (w *world) events(t *testing.T, after string, enough func([]Event) bool) []Event {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.page.URL+"/phone/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Last-Event-ID", after)
	response, err := w.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var out []Event
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 2<<20)
	for !enough(out) && lines.Scan() {
		if data, ok := bytes.CutPrefix(lines.Bytes(), []byte(`data: {"seq"`)); ok {
			var e Event
			if err := json.Unmarshal(append([]byte(`{"seq"`), data...), &e); err != nil {
				t.Fatal(err)
			}
			out = append(out, e)
		}
	}
	return out
}

// has says that there are so many events of a kind.
func has(kind Kind, n int) func([]Event) bool {
	return func(events []Event) bool { return len(only(events, kind)) >= n }
}

func only(events []Event, kind Kind) (out []Event) {
	for _, e := range events {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

// file reads a file as the page does.
func (w *world) file(t *testing.T, id string) (int, string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, w.page.URL+"/phone/files/"+id, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.do(t, request)
}
