package cloudapi

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

func textReply(text string) *wactorv1.Reply {
	return &wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: text}}
}

func mediaReply(media *wactorv1.Media) *wactorv1.Reply {
	return &wactorv1.Reply{Content: &wactorv1.Reply_Media{Media: media}}
}

func buttonsReply(options ...*wactorv1.Option) *wactorv1.Reply {
	return &wactorv1.Reply{Content: &wactorv1.Reply_Buttons{Buttons: &wactorv1.Buttons{Body: "Which?",
		Options: options}}}
}

func listReply(sections ...*wactorv1.Section) *wactorv1.Reply {
	return &wactorv1.Reply{Content: &wactorv1.Reply_List{List: &wactorv1.List{Body: "Which?", Button: "Open",
		Sections: sections}}}
}

func rawReply(t testing.TB, message map[string]any) *wactorv1.Reply {
	t.Helper()
	object, err := structpb.NewStruct(message)
	if err != nil {
		t.Fatal(err)
	}
	return &wactorv1.Reply{Content: &wactorv1.Reply_Raw{Raw: object}}
}

func option(id, title string) *wactorv1.Option { return &wactorv1.Option{Id: id, Title: title} }

// sendable is one good reply of each kind, with the part of the request body behind the frame.
func sendable(t testing.TB) map[string]struct {
	reply *wactorv1.Reply
	want  string
} {
	component, err := structpb.NewStruct(map[string]any{"type": "body",
		"parameters": []any{map[string]any{"type": "text", "text": "Ana"}}})
	if err != nil {
		t.Fatal(err)
	}
	quoting := textReply("yes & <b>no</b> é👍")
	quoting.ReplyTo, quoting.PreviewUrl = "wamid.q", true
	image := &wactorv1.Media{Type: "image", Id: "7"}
	return map[string]struct {
		reply *wactorv1.Reply
		want  string
	}{
		"text":         {textReply("hi"), `"type":"text","text":{"body":"hi"}}`},
		"text, quoted": {quoting, `"context":{"message_id":"wamid.q"},"type":"text","text":{"body":"yes & <b>no</b> é👍","preview_url":true}}`},
		"buttons": {&wactorv1.Reply{Content: &wactorv1.Reply_Buttons{Buttons: &wactorv1.Buttons{
			Body: "Which?", Footer: "f", Header: &wactorv1.Header{Content: &wactorv1.Header_Media{Media: image}},
			Options: []*wactorv1.Option{{Id: "y", Title: "Yes", Description: "not shown"}, option("n", "No")},
		}}}, `"type":"interactive","interactive":{"type":"button","header":{"type":"image","image":{"id":"7"}},"body":{"text":"Which?"},"footer":{"text":"f"},"action":{"buttons":[{"type":"reply","reply":{"id":"y","title":"Yes"}},{"type":"reply","reply":{"id":"n","title":"No"}}]}}}`},
		"list": {&wactorv1.Reply{Content: &wactorv1.Reply_List{List: &wactorv1.List{
			Body: "Which?", Button: "Open", Header: &wactorv1.Header{Content: &wactorv1.Header_Text{Text: "h"}},
			Sections: []*wactorv1.Section{{Rows: []*wactorv1.Option{{Id: "1", Title: "One", Description: "d"}}}},
		}}}, `"type":"interactive","interactive":{"type":"list","header":{"type":"text","text":"h"},"body":{"text":"Which?"},"action":{"button":"Open","sections":[{"rows":[{"id":"1","title":"One","description":"d"}]}]}}}`},
		"cta": {&wactorv1.Reply{Content: &wactorv1.Reply_Cta{Cta: &wactorv1.CallToAction{Body: "b", Title: "Go",
			Url: "https://example.com/?a=1&b=2"}}},
			`"type":"interactive","interactive":{"type":"cta_url","body":{"text":"b"},"action":{"name":"cta_url","parameters":{"display_text":"Go","url":"https://example.com/?a=1&b=2"}}}}`},
		"location request": {&wactorv1.Reply{Content: &wactorv1.Reply_LocationRequest{LocationRequest: "Where?"}},
			`"type":"interactive","interactive":{"type":"location_request_message","body":{"text":"Where?"},"action":{"name":"send_location"}}}`},
		"image":    {mediaReply(&wactorv1.Media{Type: "image", Link: "https://example.com/a.jpg", Caption: "c", Filename: "a.jpg"}), `"type":"image","image":{"link":"https://example.com/a.jpg","caption":"c"}}`},
		"video":    {mediaReply(&wactorv1.Media{Type: "video", Id: "1"}), `"type":"video","video":{"id":"1"}}`},
		"audio":    {mediaReply(&wactorv1.Media{Type: "audio", Id: "1"}), `"type":"audio","audio":{"id":"1"}}`},
		"document": {mediaReply(&wactorv1.Media{Type: "document", Id: "1", Filename: "a.pdf"}), `"type":"document","document":{"id":"1","filename":"a.pdf"}}`},
		"sticker":  {mediaReply(&wactorv1.Media{Type: "sticker", Id: "1"}), `"type":"sticker","sticker":{"id":"1"}}`},
		"location": {&wactorv1.Reply{Content: &wactorv1.Reply_Location{Location: &wactorv1.Location{Latitude: -1.5,
			Name: "n"}}},
			`"type":"location","location":{"latitude":-1.5,"longitude":0,"name":"n"}}`},
		"template": {&wactorv1.Reply{Content: &wactorv1.Reply_Template{Template: &wactorv1.Template{Name: "hello",
			Language: "en_US", Components: []*structpb.Struct{component}}}},
			`"type":"template","template":{"name":"hello","language":{"code":"en_US"},"components":[{"parameters":[{"text":"Ana","type":"text"}],"type":"body"}]}}`},
		"reaction": {&wactorv1.Reply{Content: &wactorv1.Reply_Reaction{Reaction: &wactorv1.Reaction{
			MessageId: "wamid.q"}}},
			`"type":"reaction","reaction":{"message_id":"wamid.q","emoji":""}}`},
	}
}

func TestEncode(t *testing.T) {
	for name, test := range sendable(t) {
		t.Run(name, func(t *testing.T) {
			if err := Check(test.reply); err != nil {
				t.Errorf("Check: %v", err)
			}
			body, err := Encode(Recipient{WaID: "15550001"}, "", test.reply)
			if err != nil {
				t.Fatal(err)
			}
			want := `{"messaging_product":"whatsapp","recipient_type":"individual","to":"+15550001",` + test.want
			if string(body) != want {
				t.Errorf("got  %s\nwant %s", body, want)
			}
		})
	}
}

func TestEncodeFrame(t *testing.T) {
	for name, test := range map[string]struct {
		to            Recipient
		replyID, want string
	}{
		"phone":          {Recipient{WaID: "15550001"}, "r", `"to":"+15550001","biz_opaque_callback_data":"r"`},
		"phone, plus":    {Recipient{WaID: "+15550001"}, "r", `"to":"+15550001","biz_opaque_callback_data":"r"`},
		"both":           {Recipient{WaID: "15550001", UserID: "US.1"}, "", `"to":"+15550001"`},
		"BSUID":          {Recipient{UserID: "US.1"}, "", `"recipient":"US.1"`},
		"BSUID as phone": {Recipient{WaID: "US.1"}, "", `"recipient":"US.1"`},
	} {
		body, err := Encode(test.to, test.replyID, textReply("x"))
		want := `{"messaging_product":"whatsapp","recipient_type":"individual",` + test.want + `,"type":"text","text":{"body":"x"}}`
		if err != nil || string(body) != want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", name, err, body, want)
		}
	}
}

func TestEncodeRaw(t *testing.T) {
	reply := rawReply(t, map[string]any{
		"type": "contacts", "contacts": []any{map[string]any{"name": "A"}}, "messaging_product": "x", "to": "1999",
		"status":         "read",
		"recipient_type": "group",
	})
	reply.ReplyTo = "wamid.q"
	body, err := Encode(Recipient{UserID: "US.1"}, "r", reply)
	want := `{"biz_opaque_callback_data":"r","contacts":[{"name":"A"}],"context":{"message_id":"wamid.q"},"messaging_product":"whatsapp","recipient":"US.1","recipient_type":"individual","type":"contacts"}`
	if err != nil || string(body) != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, body, want)
	}
	if reply.GetRaw().GetFields()["to"].GetStringValue() != "1999" {
		t.Error("Encode changed the reply")
	}
}

func TestEncodeErrors(t *testing.T) {
	to := Recipient{WaID: "1"}
	nan := &wactorv1.Reply{Content: &wactorv1.Reply_Location{Location: &wactorv1.Location{Latitude: math.NaN()}}}
	for name, test := range map[string]struct {
		to      Recipient
		replyID string
		reply   *wactorv1.Reply
		want    error
	}{
		"no recipient":   {Recipient{}, "", textReply("x"), ErrNoRecipient},
		"nil":            {to, "", nil, ErrNotSendable},
		"empty":          {to, "", &wactorv1.Reply{}, ErrNotSendable},
		"nil raw":        {to, "", &wactorv1.Reply{Content: &wactorv1.Reply_Raw{}}, ErrNotSendable},
		"raw, no type":   {to, "", rawReply(t, map[string]any{"text": "x"}), ErrNotSendable},
		"media, no type": {to, "", mediaReply(&wactorv1.Media{Id: "1"}), ErrNotSendable},
		"nil media":      {to, "", mediaReply(nil), ErrNotSendable},
		"not a number":   {to, "", nan, ErrNotSendable},
		"long reply id":  {to, strings.Repeat("é", MaxReplyID+1), textReply("x"), ErrNotSendable},
	} {
		if body, err := Encode(test.to, test.replyID, test.reply); !errors.Is(err, test.want) || body != nil {
			t.Errorf("%s: %s, %v; want %v", name, body, err, test.want)
		}
	}
	if _, err := Encode(to, strings.Repeat("é", MaxReplyID), textReply("x")); err != nil {
		t.Errorf("a reply id at the limit: %v", err)
	}
}

// FuzzCheck: no reply panics, and one that passes Check encodes as JSON. The seeds are replies in
// wire form.
func FuzzCheck(f *testing.F) {
	for _, test := range sendable(f) {
		wire, err := proto.Marshal(test.reply)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	wire, err := proto.Marshal(rawReply(f, map[string]any{"type": "a", "a": map[string]any{"b": []any{1.5, nil}}}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wire)
	f.Fuzz(func(t *testing.T, wire []byte) {
		reply := new(wactorv1.Reply)
		if proto.Unmarshal(wire, reply) != nil {
			return
		}
		problem := Check(reply)
		body, err := Encode(Recipient{WaID: "1"}, "r", reply)
		if problem == nil && err != nil {
			t.Fatalf("passed Check, but: %v", err)
		}
		if err == nil && !json.Valid(body) {
			t.Fatalf("not JSON: %s", body)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	for _, name := range []string{"text", "buttons"} {
		reply := sendable(b)[name].reply
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := Check(reply); err != nil {
					b.Fatal(err)
				}
				if _, err := Encode(Recipient{WaID: "15550001"}, "w1.lq3k.7.15550001", reply); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
