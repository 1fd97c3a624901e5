package emulator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/cloudapi"
)

// send posts a request to a graph and returns the answer.
func send(g *Graph, path, token, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	g.ServeHTTP(w, request)
	return w
}

// message makes a request of these members.
func message(members string) string { return `{"messaging_product":"whatsapp",` + members + `}` }

func TestGraphTakesMessages(t *testing.T) {
	const text = `"to":"+4915","type":"text","biz_opaque_callback_data":"r1","text":{"body":"hi"}`
	var taken []Taken
	graph := NewGraph("token", Faults{}, func(m Taken) { taken = append(taken, m) })
	for _, path := range []string{"/v26.0/100/messages", "/100/messages"} {
		w := send(graph, path, "token", message(text))
		id, err := cloudapi.DecodeSendResponse(w.Body.Bytes())
		if w.Code != http.StatusOK || err != nil || id != taken[len(taken)-1].ID {
			t.Errorf("%s: %d, %v, id %q", path, w.Code, err, id)
		}
	}
	if taken[0].ID == taken[1].ID {
		t.Error("two messages have the same id")
	}
	got := taken[0]
	got.ID, got.At, got.Body = "", taken[1].At, nil
	if diff := cmp.Diff(Taken{ReplyID: "r1", PhoneNumberID: "100", To: "4915", Type: "text", Text: "hi",
		At: taken[1].At}, got); diff != "" {
		t.Error(diff)
	}
	if string(taken[0].Body) != message(text) {
		t.Errorf("body %s", taken[0].Body)
	}
}

// TestGraphTakesWhatIsEncoded: all that cloudapi.Encode makes of what cloudapi.Check lets pass is
// taken.
func TestGraphTakesWhatIsEncoded(t *testing.T) {
	option := func(id string) *wactorv1.Option { return &wactorv1.Option{Id: id, Title: "Title " + id} }
	header := &wactorv1.Header{Content: &wactorv1.Header_Media{Media: &wactorv1.Media{Type: "image",
		Link: "https://example.com/a.jpg"}}}
	for _, reply := range []*wactorv1.Reply{
		{Content: &wactorv1.Reply_Text{Text: strings.Repeat("\u00e9", provider.MaxText)}},
		{Content: &wactorv1.Reply_Buttons{Buttons: &wactorv1.Buttons{Body: "b", Options: []*wactorv1.Option{option("1"),
			option("2"), option("3")}, Header: header}}},
		{Content: &wactorv1.Reply_List{List: &wactorv1.List{Body: "b", Button: "open",
			Sections: []*wactorv1.Section{{Rows: []*wactorv1.Option{option("1")}}}, Footer: "f"}}},
		{Content: &wactorv1.Reply_Cta{Cta: &wactorv1.CallToAction{Body: "b", Title: "t", Url: "https://example.com/"}}},
		{Content: &wactorv1.Reply_Media{Media: &wactorv1.Media{Type: "document", Link: "https://example.com/a.pdf",
			Filename: "a.pdf"}}},
		{Content: &wactorv1.Reply_Location{Location: &wactorv1.Location{Latitude: 1, Longitude: 2}}},
		{Content: &wactorv1.Reply_Template{Template: &wactorv1.Template{Name: "hello", Language: "en_US"}}},
		{Content: &wactorv1.Reply_Reaction{Reaction: &wactorv1.Reaction{MessageId: "wamid.1", Emoji: "\U0001f44d"}}},
		{Content: &wactorv1.Reply_LocationRequest{LocationRequest: "where?"}},
	} {
		if err := cloudapi.Check(reply); err != nil {
			t.Fatal(err)
		}
		body, err := cloudapi.Encode(cloudapi.Recipient{UserID: "US.1"}, "r1", reply)
		if err != nil {
			t.Fatal(err)
		}
		taken := 0
		w := send(NewGraph("", Faults{}, func(m Taken) {
			if m.To == "US.1" && m.ReplyID == "r1" {
				taken++
			}
		}), "/v26.0/100/messages", "", string(body))
		if w.Code != http.StatusOK || taken != 1 {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}

func TestGraphAnswersReceipts(t *testing.T) {
	graph := NewGraph("", Faults{ServerErrors: 1}, func(Taken) { t.Error("a receipt was taken for a message") })
	for _, body := range [][]byte{cloudapi.MarkRead("wamid.1", false), cloudapi.MarkRead("wamid.1", true)} {
		if w := send(graph, "/v26.0/100/messages", "", string(body)); w.Code != http.StatusOK || w.Body.String() != `{"success":true}` {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}

func TestGraphRefuses(t *testing.T) {
	buttons := func(n, title int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`{"type":"reply","reply":{"id":"%d","title":"%d%s"}}`, i, i, strings.Repeat("x", title)))
		}
		return `"to":"1","type":"interactive","interactive":{"type":"button","body":{"text":"b"},"action":{"buttons":[` + strings.Join(list, ",") + `]}}`
	}
	const path = "/v26.0/100/messages"
	for name, c := range map[string]struct {
		path, token, body string
		status, code      int
	}{
		"another token":     {path, "other", message(`"to":"1","text":{"body":"hi"}`), 401, 190},
		"another path":      {"/v26.0/100/pages", "token", "", 404, 2500},
		"no number":         {"/messages", "token", "", 404, 2500},
		"too deep a path":   {"/v26.0/100/200/messages", "token", "", 404, 2500},
		"no JSON":           {path, "token", "hi", 400, 100},
		"no product":        {path, "token", `{}`, 400, 100},
		"no recipient":      {path, "token", message(`"type":"text","text":{"body":"hi"}`), 400, 131008},
		"no text":           {path, "token", message(`"to":"1","type":"text"`), 400, 131008},
		"text too long":     {path, "token", message(`"to":"1","type":"text","text":{"body":"` + strings.Repeat("x", 4097) + `"}`), 400, 131009},
		"reply id too long": {path, "token", message(`"to":"1","text":{"body":"x"},"biz_opaque_callback_data":"` + strings.Repeat("x", 513) + `"`), 400, 131009},
		"no object":         {path, "token", message(`"to":"1","type":"image"`), 400, 131008},
		"object null":       {path, "token", message(`"to":"1","type":"interactive","interactive":null`), 400, 100},
		"object a string":   {path, "token", message(`"to":"1","type":"image","image":"x"`), 400, 100},
		"unknown type":      {path, "token", message(`"to":"1","type":"hologram","hologram":{}`), 400, 100},
		"four buttons":      {path, "token", message(buttons(4, 3)), 400, 131009},
		"long title":        {path, "token", message(buttons(1, 20)), 400, 131009},
		"null button":       {path, "token", message(`"to":"1","type":"interactive","interactive":{"type":"button","body":{"text":"b"},"action":{"buttons":[{}]}}`), 400, 131009},
		"http link":         {path, "token", message(`"to":"1","type":"image","image":{"link":"http://example.com/a.jpg"}`), 400, 131009},
		"degrees":           {path, "token", message(`"to":"1","type":"location","location":{"latitude":"91","longitude":1}`), 400, 131009},
		"another status":    {path, "token", message(`"status":"unread","message_id":"wamid.1"`), 400, 100},
		"receipt of none":   {path, "token", message(`"status":"read"`), 400, 131008},
	} {
		t.Run(name, func(t *testing.T) {
			w := send(NewGraph("token", Faults{}, func(Taken) { t.Error("taken") }), c.path, c.token, c.body)
			if f := cloudapi.Classify(w.Code, w.Body.Bytes()); w.Code != c.status || f.Code != c.code || !f.HasCode {
				t.Errorf("%d %s; want %d with code %d", w.Code, w.Body, c.status, c.code)
			}
		})
	}
}

func TestGraphTakesDegreesAsStrings(t *testing.T) {
	w := send(NewGraph("", Faults{}, nil), "/1/messages", "", message(`"to":"1","type":"location","location":{"latitude":"52.5","longitude":13}`))
	if w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestGraphTellsThatTheBusinessIsGone(t *testing.T) {
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	var taken []Taken
	request := httptest.NewRequestWithContext(gone, http.MethodPost, "/1/messages", strings.NewReader(message(`"to":"1","text":{"body":"hi"}`)))
	NewGraph("", Faults{}, func(m Taken) { taken = append(taken, m) }).ServeHTTP(httptest.NewRecorder(), request)
	if len(taken) != 1 || !taken[0].Broken {
		t.Errorf("taken %v; want one that is broken", taken)
	}
}

func TestGraphBreaksConnections(t *testing.T) {
	for _, c := range []struct {
		faults Faults
		taken  int
	}{{Faults{BrokenAfter: 1}, 1}, {Faults{BrokenBefore: 1}, 0}} {
		taken := 0
		server := httptest.NewServer(NewGraph("", c.faults, func(m Taken) {
			taken++
			if !m.Broken {
				t.Error("the connection breaks, and the message does not say so")
			}
		}))
		response, err := http.Post(server.URL+"/1/messages", "application/json", strings.NewReader(message(`"to":"1","text":{"body":"hi"}`)))
		server.Close()
		if err == nil {
			response.Body.Close()
			t.Errorf("%+v: answered %d", c.faults, response.StatusCode)
		}
		if taken != c.taken {
			t.Errorf("%+v: taken %d, want %d", c.faults, taken, c.taken)
		}
	}
}

// FuzzGraph: every request is answered with JSON; what is taken has a recipient and a type.
func FuzzGraph(f *testing.F) {
	for _, members := range []string{
		`"to":"1","type":"text","text":{"body":"hi"}`,
		`"recipient":"US.1","type":"interactive","interactive":{"type":"list","body":{"text":"b"},"action":{"button":"o","sections":[{"rows":[null]}]}}`,
		`"to":"1","type":"interactive","interactive":{"type":"button","header":{"type":"image"},"action":{"buttons":[{"reply":null}]}}`,
		`"to":"1","type":"location","location":{"latitude":"1","longitude":""}`,
		`"to":"1","type":"image","image":{"id":"m"}`,
		`"status":"read","message_id":"wamid.1"`,
	} {
		f.Add([]byte(message(members)))
	}
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		graph := NewGraph("", Faults{}, func(m Taken) {
			if m.To == "" || m.Type == "" || m.ID == "" {
				t.Errorf("taken %+v", m)
			}
		})
		request := httptest.NewRequest(http.MethodPost, "/v26.0/100/messages", bytes.NewReader(body))
		w := httptest.NewRecorder()
		graph.ServeHTTP(w, request)
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("answer %q", w.Body)
		}
	})
}

func BenchmarkGraph(b *testing.B) {
	graph := NewGraph("token", Faults{}, func(Taken) {})
	body := []byte(message(`"recipient_type":"individual","to":"+4915100000001","biz_opaque_callback_data":"w1.shop.7.1","type":"text","text":{"body":"step 7: hello"}`))
	reader := bytes.NewReader(body)
	request := httptest.NewRequest(http.MethodPost, "/v26.0/100/messages", reader)
	request.Header.Set("Authorization", "Bearer token")
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		w := httptest.ResponseRecorder{}
		graph.ServeHTTP(&w, request)
	}
}
