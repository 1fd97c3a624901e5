package phone

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestMessageGoesTheWholeWay(t *testing.T) {
	w := newWorld(t)
	if status := w.send(t, `{"user":"4915100000001","name":"Ana","texts":["hi"]}`); status != http.StatusAccepted {
		t.Fatalf("status %d", status)
	}
	if m := w.message(t); m.User.WaId != user || m.User.Name != "Ana" || m.Message.Text != "hi" ||
		m.Number != "100" {
		t.Errorf("webhook %+v", m)
	}
	events := w.events(t, "", has(KindWebhook, 4)) // the message, and three statuses of the reply
	sent, reply, read := only(events, KindSent)[0], only(events, KindReply)[0], only(events, KindRead)[0]
	if got := string(sent.Content); got != `{"text":{"body":"hi"},"type":"text"}` || sent.Name != "Ana" || sent.User != user {
		t.Errorf("sent %+v, content %s", sent, got)
	}
	if !strings.Contains(string(reply.Content), "echo hi") {
		t.Errorf("reply %s", reply.Content)
	}
	if read.ID != sent.ID || !read.Typing || read.User != user {
		t.Errorf("read %+v", read)
	}
	var about []string
	for _, e := range only(events, KindWebhook) {
		if e.Status != http.StatusOK || e.Try != 1 || e.Millis <= 0 {
			t.Errorf("webhook %+v", e)
		}
		about = append(about, e.About)
	}
	if slices.Sort(about); !slices.Equal(about, []string{"delivered", "message", "read", "sent"}) {
		t.Errorf("webhooks about %v", about)
	}
	later := w.events(t, fmt.Sprint(sent.Seq), has(KindReply, 1))
	if later[0].Seq <= sent.Seq {
		t.Errorf("the stream repeats what was seen: %+v", later[0])
	}
}

func TestStatusesNameTheReply(t *testing.T) {
	w := newWorld(t)
	w.send(t, `{"user":"4915100000001","texts":["hi"]}`)
	var got []string
	for len(got) < 3 {
		for _, s := range (<-w.webhooks).Statuses {
			got = append(got, s.Status+" "+s.ReplyID)
		}
	}
	if want := []string{"sent r", "delivered r", "read r"}; !slices.Equal(got, want) {
		t.Errorf("statuses %v, want %v", got, want)
	}
}

func TestEveryKindOfMessage(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ request, kind, text string }{
		{`"tap":{"list":true,"id":"r1","title":"Row","description":"nice","prompt":"wamid.p"}`, "list_reply r1 wamid.p", "Row"},
		{`"tap":{"id":"b1","title":"Button","prompt":"wamid.p"}`, "button_reply b1 wamid.p", "Button"},
		{`"media":{"type":"image","caption":"look"}`, "image image/jpeg", "look"},
		{`"media":{"type":"document"}`, "document application/pdf document.pdf", ""},
		{`"media":{"type":"audio"}`, "audio audio/ogg; codecs=opus voice", ""},
		{`"media":{"type":"video","mime_type":"video/webm","data":"aGk="}`, "video video/webm", ""},
		{`"media":{"type":"document","mime_type":"text/html","filename":"a.html","data":"aGk="}`, "document text/html a.html", ""},
		{`"location":{"latitude":52.5,"longitude":-13.25,"name":"Gate","address":"Square"}`, "location 52.5 -13.25 Gate Square", ""},
		{`"location":{"latitude":0,"longitude":0}`, "location 0 0", ""},
	} {
		if status := w.send(t, `{"user":"4915100000001",`+c.request+`}`); status != http.StatusAccepted {
			t.Errorf("%s: %d", c.request, status)
			continue
		}
		m := w.message(t).Message
		got := []any{m.Type}
		switch {
		case m.Choice != nil:
			got = append(got, m.Choice.Id, m.ContextId)
		case m.Media != nil:
			got = append(got, m.Media.MimeType, m.Media.Filename)
			if m.Media.Voice {
				got = append(got, "voice")
			}
			if m.Media.Id == "" || m.Media.Sha256 == "" {
				t.Errorf("%s: %v", c.request, m.Media)
			}
			if status, body := w.file(t, m.Media.Id); status != http.StatusOK || body == "" {
				t.Errorf("%s: the page gets %d, %d bytes", c.request, status, len(body))
			}
		case m.Location != nil:
			got = append(got, m.Location.Latitude, m.Location.Longitude, m.Location.Name, m.Location.Address)
		}
		if line := strings.Join(strings.Fields(fmt.Sprintln(got...)), " "); line != c.kind || m.Text != c.text {
			t.Errorf("%s: %q with text %q, want %q with %q", c.request, line, m.Text, c.kind, c.text)
		}
	}
}

func TestFiveAtOnceAndOneTwice(t *testing.T) {
	w := newWorld(t)
	w.send(t, `{"user":"4915100000001","texts":["1","2","3","4","5"]}`)
	ids := map[string]bool{}
	for range 5 {
		ids[w.message(t).Message.Id] = true
	}
	if len(ids) != 5 {
		t.Errorf("five at once have %d ids", len(ids))
	}
	w.send(t, `{"user":"4915100000001","texts":["x"],"twice":true}`)
	if first, second := w.message(t).Message, w.message(t).Message; first.Id != second.Id || first.Text != "x" ||
		ids[first.Id] {
		t.Errorf("one twice: %v and %v", first, second)
	}
	if events := w.events(t, "", has(KindReply, 7)); len(only(events, KindSent)) != 6 {
		t.Errorf("%d messages are shown as sent, want 6", len(only(events, KindSent)))
	}
}

func TestWebhookIsRepeatedUntilItIsTaken(t *testing.T) {
	w := newWorld(t)
	w.refuse.Store(1)
	w.send(t, `{"user":"4915100000001","texts":["hi"]}`)
	posts := only(w.events(t, "", has(KindReply, 1)), KindWebhook)
	posts = append(posts, only(w.events(t, fmt.Sprint(posts[0].Seq), has(KindWebhook, 4)), KindWebhook)...)
	posts = slices.DeleteFunc(posts, func(e Event) bool { return e.About != "message" })
	if len(posts) != 2 || posts[0].Status != http.StatusServiceUnavailable || posts[1].Status != http.StatusOK ||
		posts[1].Try != 2 || posts[0].ID != posts[1].ID {
		t.Errorf("posts %+v", posts)
	}
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	w := newWorld(t)
	w.refuse.Store(1 << 30)
	w.send(t, `{"user":"4915100000001","texts":["hi"]}`)
	w.events(t, "", has(KindWebhook, 1))
	w.phone.Close()
	w.phone.Close()
	if status := w.send(t, `{"user":"4915100000001","texts":["hi"]}`); status != http.StatusServiceUnavailable {
		t.Errorf("a closed phone answers %d", status)
	}
}

func TestTooMuchUnderWayIsRefused(t *testing.T) {
	w := newWorld(t)
	w.refuse.Store(1 << 30)
	w.phone.mu.Lock()
	w.phone.pending = maxWork
	w.phone.mu.Unlock()
	if status := w.send(t, `{"user":"4915100000001","texts":["hi"]}`); status != http.StatusServiceUnavailable {
		t.Errorf("status %d", status)
	}
	if _, known := w.phone.history.threads[user]; known {
		t.Error("a message that was refused is shown as sent")
	}
}

func TestReadOfAnUnknownMessageIsNoEvent(t *testing.T) {
	w := newWorld(t)
	w.callGraph(t, `{"messaging_product":"whatsapp","status":"read","message_id":"wamid.other"}`)
	if len(w.phone.history.threads) != 0 {
		t.Error("there is a thread without a user")
	}
}

func TestGraphRefusesAnotherToken(t *testing.T) {
	w := newWorld(t)
	request, _ := http.NewRequest(http.MethodPost, w.graph.URL+"/v26.0/100/messages", strings.NewReader(`{"messaging_product":"whatsapp","to":"1","type":"text","text":{"body":"x"}}`))
	request.Header.Set("Authorization", "Bearer other")
	if status, _ := w.do(t, request); status != http.StatusUnauthorized {
		t.Errorf("status %d", status)
	}
}

func TestStreamEndsWithDisconnect(t *testing.T) {
	w := newWorld(t)
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, w.page.URL+"/phone/events", nil)
	response, err := w.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	w.phone.Disconnect()
	if body, err := io.ReadAll(response.Body); err != nil || !strings.Contains(string(body), "event: ready") {
		t.Errorf("stream %q, %v", body, err)
	}
}
