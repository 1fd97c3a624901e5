package bot

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// fullTurn has a value in every field that a bot may see.
func fullTurn() *conversation.Turn {
	return &conversation.Turn{
		ID: "01J8ZQ4X8PB2V7T9E6H3M5K0WD", Attempt: 2, Version: 7,
		Conversation: conversation.ID{Channel: "shop", User: "1234567890"},
		User: &wactorv1.User{Id: "1234567890", WaId: "1234567890", UserId: "US.13491208655302741918",
			Name: "Ana <3"},
		State:  json.RawMessage(`{"order": 12345678901234567890, "price": 0.10, "step":"A&B"}`),
		Events: []*wactorv1.Message{{Id: "wamid.0", Type: "reaction", Text: "👍", ContextId: "wamid.00"}},
		Messages: []*wactorv1.Message{
			{
				Id: "wamid.1", Type: "text", Text: "hi <b>&</b> \u2028 ¡hola! 👋", SentMs: 1_790_000_000_000,
				ReceivedMs: 1_790_000_000_123, Seq: 41,
				Raw: []byte(`{"id":"wamid.1", "big":9007199254740993,"type":"text","text":{"body":"hi <b>&</b>"}}`),
			},
			{
				Id: "wamid.2", Type: "list_reply", Text: "Blue", ContextId: "wamid.0", Late: true,
				SentMs:     1_789_999_999_000,
				ReceivedMs: 1_790_000_000_200, Choice: &wactorv1.Choice{Id: "blue", Title: "Blue",
					Description: "like the sea"},
			},
			{
				Id: "wamid.3", Type: "image", Text: "look", SentMs: 1_790_000_001_000, ReceivedMs: 1_790_000_001_001,
				Media: &wactorv1.Media{Type: "image", Id: "99", MimeType: "image/jpeg", Sha256: "c2hh",
					Caption: "look"},
			},
			{
				Id: "wamid.4", Type: "location", SentMs: 1_790_000_002_000, ReceivedMs: 1_790_000_002_001,
				Location: &wactorv1.Location{Latitude: -33.5, Longitude: 0, Name: "Plaza", Address: "1 Main St"},
			},
		},
		Timer:       &wactorv1.Timer{Name: "nudge", DueMs: 1_790_000_003_500},
		Now:         time.UnixMilli(1_790_000_004_000).UTC(),
		WindowUntil: time.UnixMilli(1_790_086_400_000).UTC(),
	}
}

// TestRequestGolden fixes the JSON that bots read. A change in testdata/request.json is a change of
// the contract.
func TestRequestGolden(t *testing.T) {
	for name, turn := range map[string]*conversation.Turn{
		"request.json": fullTurn(),
		"request_first.json": {
			ID: "01J8ZQ4X8PB2V7T9E6H3M5K0WE", Attempt: 1, Conversation: conversation.ID{Channel: "shop", User: "US.1"},
			User:     &wactorv1.User{Id: "US.1", UserId: "US.1"},
			Messages: []*wactorv1.Message{{Id: "wamid.5", Type: "text", Text: "hi"}},
		},
	} {
		body, err := encodeTurn(turn)
		if err != nil {
			t.Fatal(err)
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, body, "", "  "); err != nil {
			t.Fatal(err)
		}
		indented.WriteByte('\n')
		golden(t, name, indented.Bytes())
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); run with -update if that is wanted:\n%s", path, diff)
	}
}

// TestRequestIsProtoJSON decodes a request as a bot does whose code was generated from the
// contract.
func TestRequestIsProtoJSON(t *testing.T) {
	turn := fullTurn()
	body, err := encodeTurn(turn)
	if err != nil {
		t.Fatal(err)
	}
	request := &wactorv1.TurnRequest{}
	if err := protojson.Unmarshal(body, request); err != nil {
		t.Fatal(err)
	}
	if request.TurnId != turn.ID || request.Version != 7 || request.Attempt != 2 || request.Channel != "shop" {
		t.Errorf("head of the request: %v", request)
	}
	if diff := cmp.Diff(turn.User, request.User, protocmp.Transform()); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	if got := request.Timer.Due.AsTime().UnixMilli(); got != turn.Timer.DueMs || request.Timer.Name != turn.Timer.Name {
		t.Errorf("timer %v", request.Timer)
	}
	for i, want := range turn.Messages {
		m := request.Messages[i]
		got := &wactorv1.Message{
			Id: m.Id, Type: m.Type, Text: m.Text, Choice: m.Choice, Media: m.Media, Location: m.Location,
			ContextId: m.ContextId,
			SentMs:    m.Timestamp.AsTime().UnixMilli(), ReceivedMs: m.Received.AsTime().UnixMilli(), Late: m.Late,
		}
		want = proto.CloneOf(want)
		want.Raw, want.Seq = nil, 0
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("message %d (-want +got):\n%s", i, diff)
		}
	}
}

// TestRequestNamesEveryField compares the hand-written request with the proto, so that a field
// added there is not forgotten here.
func TestRequestNamesEveryField(t *testing.T) {
	turn := fullTurn()
	reply, err := proto.Marshal(&wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: "hi"}})
	if err != nil {
		t.Fatal(err)
	}
	turn.Messages = append(turn.Messages, &wactorv1.Message{Id: "f", Type: conversation.TypeFailed, Raw: reply,
		Author: "ana"})
	turn.History = []*wactorv1.Message{{Id: "h", Type: "text", Text: "we look into it", Author: "ana"}}
	turn.Paused = &wactorv1.Ownership{By: "ana", Reason: "a refund", SinceMs: 1_790_000_000_000,
		BackMs: 1_790_000_001_000}
	request := requestOf(t, turn)
	if o := request.Owner; len(request.History) != 1 || request.History[0].Author != "ana" || o.By != "ana" ||
		o.Reason != "a refund" || o.Since.Seconds != 1_790_000_000 || o.Until.Seconds != 1_790_000_001 {
		t.Errorf("history %v, owner %v", request.History, request.Owner)
	}
	turn.Timer = &wactorv1.Timer{Name: "\x00event\x00k", Event: &wactorv1.Event{Name: "shipped",
		Data: []byte(`{"n":7}`), By: "shop"}}
	posted := requestOf(t, turn)
	if e := posted.Event; posted.Timer != nil || e.GetName() != "shipped" || e.By != "shop" ||
		e.Data.Fields["n"].GetNumberValue() != 7 {
		t.Errorf("event %v, timer %v", posted.Event, posted.Timer)
	}
	seen := map[string]bool{}
	for _, message := range append([]proto.Message{request, request.Timer, posted}, messages(request)...) {
		fields := message.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			name := string(fields.Get(i).FullName())
			seen[name] = seen[name] || message.ProtoReflect().Has(fields.Get(i))
		}
	}
	for name, ok := range seen {
		if !ok {
			t.Errorf("%s is never written", name)
		}
	}
}

func requestOf(t *testing.T, turn *conversation.Turn) *wactorv1.TurnRequest {
	t.Helper()
	body, err := encodeTurn(turn)
	if err != nil {
		t.Fatal(err)
	}
	request := &wactorv1.TurnRequest{}
	if err := protojson.Unmarshal(body, request); err != nil {
		t.Fatal(err)
	}
	return request
}

// TestAnswersHandOff: a bot gives the conversation to a person.
func TestAnswersHandOff(t *testing.T) {
	answer, err := decodeAnswer([]byte(`{"handoff":{"note":"a refund","until":"2026-12-01T09:00:00Z"}}`))
	if err != nil || answer.Handoff == nil || answer.Handoff.Note != "a refund" ||
		answer.Handoff.UntilMs != 1_796_115_600_000 {
		t.Errorf("%v, %v", answer, err)
	}
	if answer, err = decodeAnswer([]byte(`{"handoff":{}}`)); err != nil || answer.Handoff == nil {
		t.Errorf("an empty handoff: %v, %v", answer, err)
	}
	if _, err = decodeAnswer([]byte(`{"handoff":{"until":"tomorrow"}}`)); err == nil {
		t.Error("a handoff until tomorrow was read")
	}
}

func messages(request *wactorv1.TurnRequest) []proto.Message {
	out := make([]proto.Message, len(request.Messages))
	for i, m := range request.Messages {
		out[i] = m
	}
	return out
}

func TestRequestKeepsBytes(t *testing.T) {
	body, err := encodeTurn(fullTurn())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"order":12345678901234567890`, `"price":0.10`, `"step":"A&B"`, `"big":9007199254740993`, `<b>&</b>`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("the request does not hold %s", want)
		}
	}
}

func TestRequestLeavesOutUnreadableRaw(t *testing.T) {
	for _, raw := range []string{"", "[1]", "{", "text", `{"a":1} x`} {
		if got := rawObject([]byte(raw)); got != nil {
			t.Errorf("rawObject(%q) = %s", raw, got)
		}
	}
	if got, want := string(rawObject([]byte("{\"a\":\"\xff\"}"))), "{\"a\":\"\uFFFD\"}"; got != want {
		t.Errorf("invalid UTF-8 became %q, want %q", got, want)
	}
}

func TestTimestamp(t *testing.T) {
	for ms, want := range map[int64]string{
		0: "", -5: "", 1_790_000_000_000: "2026-09-21T14:13:20Z", 1_790_000_000_120: "2026-09-21T14:13:20.120Z",
		253_402_300_799_999: "9999-12-31T23:59:59.999Z", 253_402_300_800_000: "",
	} {
		if got := timestamp(ms); got != want {
			t.Errorf("timestamp(%d) = %q, want %q", ms, got, want)
		}
	}
}

func BenchmarkEncodeTurn(b *testing.B) {
	turn := fullTurn()
	turn.Messages, turn.Timer = turn.Messages[:1], nil
	for b.Loop() {
		if _, err := encodeTurn(turn); err != nil {
			b.Fatal(err)
		}
	}
}
