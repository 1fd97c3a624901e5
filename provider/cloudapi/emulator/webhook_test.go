package emulator

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/cloudapi"
)

var number = Number{PhoneNumberID: "100", AppSecret: "secret"}

func decode(t *testing.T, body []byte) *provider.Batch {
	t.Helper()
	webhook, err := cloudapi.Decode(body)
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if len(webhook.Unread)+len(webhook.Changes) > 0 {
		t.Fatalf("not understood: %v, %v", webhook.Unread, webhook.Changes)
	}
	return webhook
}

func TestMessagesAreWhatWhatsAppSends(t *testing.T) {
	body := number.Messages(
		Message{ID: "wamid.1", User: "4915", UserID: "US.1", Name: "Ana \"A\" \u2028", SentMs: 1_700_000_000_900,
			Text: "h\u00e9\n\"\\ \U0001f600 </b>"},
		Message{ID: "wamid.2", User: "4916", Name: "Bo", SentMs: 1_700_000_001_000, Tap: &Tap{ID: "y", Title: "Yes",
			Prompt: "wamid.0"}},
		Message{ID: "wamid.3", UserID: "US.3", Name: "Cy", SentMs: 1_700_000_001_000, Tap: &Tap{List: true, ID: "r",
			Title: "Row", Prompt: "wamid.0"}},
		Message{ID: "wamid.4", UserID: "US.3", Name: "Cy", SentMs: 1_700_000_001_000, Text: "and", Quoted: "wamid.9"},
		Message{ID: "wamid.5", User: "4915", Name: "Ana", Media: &Media{Type: "image", ID: "m1", MIMEType: "image/jpeg",
			Caption: "a cat"}},
		Message{ID: "wamid.6", User: "4915", Name: "Ana", Media: &Media{Type: "audio", ID: "m2", MIMEType: "audio/ogg",
			Voice: true}},
		Message{ID: "wamid.7", User: "4915", Name: "Ana", Location: &Location{Latitude: 52.5, Longitude: -13.25,
			Name: "Here"}},
	)
	header := http.Header{cloudapi.SignatureHeader: {number.Sign(body)}}
	if !provider.Authentic(&cloudapi.Codec{AppSecrets: []string{"secret"}}, header, body) {
		t.Fatal("the signature does not verify")
	}
	if strings.ContainsFunc(string(body), func(r rune) bool { return r > '~' }) {
		t.Error("the body is not ASCII")
	}
	var got []string
	for _, m := range decode(t, body).Messages {
		got = append(got, strings.Join([]string{
			m.Message.Id, m.User.WaId, m.User.UserId, m.User.Name, m.Message.Type, m.Message.Text,
			m.Message.Choice.GetId(), m.Message.ContextId, m.Message.Media.GetId(),
		}, "|"))
		if m.Message.Id == "wamid.7" && (m.Message.Location.Latitude != 52.5 ||
			m.Message.Location.Longitude != -13.25 || m.Message.Location.Name != "Here") {
			t.Errorf("location %v", m.Message.Location)
		}
		if m.Message.Id == "wamid.6" && !m.Message.Media.Voice {
			t.Error("not a voice note")
		}
	}
	want := []string{
		"wamid.1|4915|US.1|Ana \"A\" \u2028|text|h\u00e9\n\"\\ \U0001f600 </b>|||",
		"wamid.2|4916||Bo|button_reply|Yes|y|wamid.0|",
		"wamid.3||US.3|Cy|list_reply|Row|r|wamid.0|",
		"wamid.4||US.3|Cy|text|and||wamid.9|",
		"wamid.5|4915|US.1|Ana \"A\" \u2028|image|a cat|||m1",
		"wamid.6|4915|US.1|Ana \"A\" \u2028|audio||||m2",
		"wamid.7|4915|US.1|Ana \"A\" \u2028|location||||",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestStatusesAreWhatWhatsAppSends(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_000)
	decoded := decode(t, number.Statuses(
		Taken{ID: "wamid.r", ReplyID: "w1.a.b", To: "4915"}.Status("delivered", at),
		Taken{ID: "wamid.t", ReplyID: "w1.a.d", To: "US.1"}.Status("read", at),
		Status{ID: "wamid.s", ReplyID: "w1.a.c", User: "4915", Status: "failed", AtMs: at.UnixMilli(), Code: 131026},
	))
	want := []provider.Status{
		{Number: "100", MessageID: "wamid.r", Status: "delivered", ReplyID: "w1.a.b", RecipientWaID: "4915",
			AtMs: at.UnixMilli()},
		{Number: "100", MessageID: "wamid.t", Status: "read", ReplyID: "w1.a.d", RecipientUserID: "US.1",
			AtMs: at.UnixMilli()},
		{Number: "100", MessageID: "wamid.s", Status: "failed", ReplyID: "w1.a.c", RecipientWaID: "4915",
			AtMs: at.UnixMilli(), ErrorCode: 131026},
	}
	if diff := cmp.Diff(want, decoded.Statuses); diff != "" {
		t.Fatal(diff)
	}
}

func TestOneWebhookTellsOfSeveralNumbers(t *testing.T) {
	decoded := decode(t, Webhook(
		Change{PhoneNumberID: "100", Messages: []Message{{ID: "wamid.1", User: "1", Text: "a"}}},
		Change{
			PhoneNumberID: "200", Messages: []Message{{ID: "wamid.2", User: "1", Text: "b"}, {ID: "wamid.3", User: "2",
				Text: "c"}},
			Statuses: []Status{{ID: "wamid.4", User: "1", Status: "sent"}},
		},
	))
	got := ""
	for _, m := range decoded.Messages {
		got += m.Number + m.Message.Text + " "
	}
	if got != "100a 200b 200c " || len(decoded.Statuses) != 1 || decoded.Statuses[0].Number != "200" {
		t.Errorf("messages %q, statuses %v", got, decoded.Statuses)
	}
}

// FuzzMessage: whatever a user writes comes out of the webhook as it went in, but for a name that
// is longer than those of WhatsApp.
func FuzzMessage(f *testing.F) {
	f.Add("hello", "Ana")
	f.Add("h\u00e9 \U0001f600 \u2028 </script> \x00", "\"\\")
	f.Add("\xff", "")
	f.Add("", strings.Repeat("\u00e9", cloudapi.MaxName))
	f.Fuzz(func(t *testing.T, text, name string) {
		text, name = strings.ToValidUTF8(text, "\ufffd"), strings.ToValidUTF8(name, "\ufffd")
		got := decode(t, number.Messages(Message{ID: "wamid.1", User: "4915", Name: name, Text: text})).Messages[0]
		if long := len(name) > cloudapi.MaxName; got.Message.Text != text || got.User.Name != name &&
			!(long && strings.HasPrefix(name, got.User.Name)) {
			t.Errorf("%q of %q became %q of %q", text, name, got.Message.Text, got.User.Name)
		}
	})
}

func BenchmarkMessages(b *testing.B) {
	m := Message{ID: "wamid.HBgNNDkxNTEwMDAwMDAwMRUCABIYFDNB", User: "4915100000001", UserID: "DE.13491208655302741918",
		Name: "Ana", SentMs: 1_700_000_000_000, Text: "hello"}
	b.ReportAllocs()
	for b.Loop() {
		number.Sign(number.Messages(m))
	}
}
