package cloudapi

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// TestOddPartsAreLeftOut: a part of the wrong JSON type costs a message that part, and nothing
// else.
func TestOddPartsAreLeftOut(t *testing.T) {
	place := func(north, east float64) *wactorv1.Message {
		return &wactorv1.Message{Type: "location", Location: &wactorv1.Location{Latitude: north, Longitude: east}}
	}
	choice := func(kind, id, title string) *wactorv1.Message {
		return &wactorv1.Message{Type: kind, Text: title, Choice: &wactorv1.Choice{Id: id, Title: title}}
	}
	audio := func(voice bool) *wactorv1.Message {
		return &wactorv1.Message{Type: "audio", Media: &wactorv1.Media{Type: "audio", Id: "m", Voice: voice}}
	}
	location := &wactorv1.Message{Type: "location"}
	text := func(text string) *wactorv1.Message { return &wactorv1.Message{Type: "text", Text: text} }
	for name, c := range map[string]struct {
		members, odd string
		want         *wactorv1.Message
	}{
		"coordinates as texts":     {`"type":"location","location":{"latitude":"19.4","longitude":" -99.1"}`, "", place(19.4, -99.1)},
		"coordinates null":         {`"type":"location","location":{"latitude":null,"longitude":null}`, "location", location},
		"coordinates missing":      {`"type":"location","location":{"name":"here"}`, "location", location},
		"coordinates words":        {`"type":"location","location":{"latitude":"north","longitude":1}`, "location.latitude", location},
		"coordinates not a number": {`"type":"location","location":{"latitude":"NaN","longitude":"Inf"}`, "location.latitude", location},
		"coordinates off earth":    {`"type":"location","location":{"latitude":91,"longitude":1}`, "location", location},
		"coordinates too large":    {`"type":"location","location":{"latitude":1e999,"longitude":1}`, "location.latitude", location},
		"coordinates at zero":      {`"type":"location","location":{"latitude":0,"longitude":0}`, "", place(0, 0)},
		"location a text":          {`"type":"location","location":"here"`, "location", location},
		"voice as a text":          {`"type":"audio","audio":{"id":"m","voice":"true"}`, "", audio(true)},
		"voice as another text":    {`"type":"audio","audio":{"id":"m","voice":"yes"}`, "media.voice", audio(false)},
		"voice a number":           {`"type":"audio","audio":{"id":"m","voice":1}`, "media.voice", audio(false)},
		"media id a number":        {`"type":"audio","audio":{"id":17}`, "", &wactorv1.Message{Type: "audio", Media: &wactorv1.Media{Type: "audio", Id: "17"}}},
		"caption an object":        {`"type":"image","image":{"id":"m","caption":{}}`, "media.caption", &wactorv1.Message{Type: "image", Media: &wactorv1.Media{Type: "image", Id: "m"}}},
		"response_json unfolded": {`"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","body":"Sent","response_json":{"a": 1}}}`, "",
			&wactorv1.Message{Type: "flow_reply", Text: `{"a": 1}`, Choice: &wactorv1.Choice{Id: "flow", Title: "Sent"}}},
		"payload unfolded":  {`"type":"button","button":{"payload":{"x":[1]},"text":"Yes"}`, "", choice("button", `{"x":[1]}`, "Yes")},
		"payload a number":  {`"type":"button","button":{"payload":12,"text":"Yes"}`, "", choice("button", "12", "Yes")},
		"payload a boolean": {`"type":"button","button":{"payload":true,"text":"Yes"}`, "button.payload", choice("button", "", "Yes")},
		"reply id a number": {`"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":1,"title":"A"}}`, "", choice("button_reply", "1", "A")},
		"row title a list":  {`"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"r","title":[]}}`, "reply.title", choice("list_reply", "r", "")},
		"body a number":     {`"type":"text","text":{"body":100}`, "", text("100")},
		"body a list":       {`"type":"text","text":{"body":["x"]}`, "body", text("")},
		"text a text":       {`"type":"text","text":"hi"`, "", text("hi")},
		"text a list":       {`"type":"text","text":["hi"]`, "text", text("")},
		"type a list":       {`"type":["text"],"text":{"body":"hi"}`, "type", &wactorv1.Message{Type: "unsupported"}},
		"type a number":     {`"type":5`, "", &wactorv1.Message{Type: "unsupported"}},
		"context a text":    {`"type":"text","text":{"body":"hi"},"context":"wamid.q"`, "context", text("hi")},
		"context id a list": {`"type":"text","text":{"body":"hi"},"context":{"id":[]}`, "context.id", text("hi")},
		"time a list":       {`"type":"text","text":{"body":"hi"},"timestamp":[]`, "", text("hi")},
		"text of an edit":   {`"type":"edit","edit":{"original_message_id":"o","message":{"type":"text","text":[]}}`, "text", &wactorv1.Message{Type: "edit", ContextId: "o"}},
		"BSUID an object":   {`"type":"text","text":{"body":"hi"},"from_user_id":{}`, "from_user_id", text("hi")},
		"BSUID unfit":       {`"type":"text","text":{"body":"hi"},"from_user_id":"?"`, "from_user_id", text("hi")},
		"contacts a text":   {`"type":"contacts","contacts":"x"`, "contacts", &wactorv1.Message{Type: "contacts"}},
	} {
		t.Run(name, func(t *testing.T) {
			batch := mustDecode(t, envelope(valueOf(`"messages":[{"id":"w","from":"1",`+c.members+`}]`)))
			if len(batch.Messages) != 1 || len(batch.Unread) > 0 {
				t.Fatalf("%d messages, unread %+v", len(batch.Messages), batch.Unread)
			}
			got := batch.Messages[0]
			c.want.Id, c.want.Raw = "w", got.Message.Raw
			if diff := cmp.Diff(c.want, got.Message, protocmp.Transform()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.Odd != c.odd || len(got.Message.Raw) == 0 {
				t.Errorf("odd %q, want %q; raw %q", got.Odd, c.odd, got.Message.Raw)
			}
		})
	}
}

// TestOddIDsReachTheirUser: ids without quotes, and lists that are one object, are read as meant.
func TestOddIDsReachTheirUser(t *testing.T) {
	for name, value := range map[string]string{
		"ids are numbers":        `"messages":[{"id":77,"from":4915,"type":"text","text":{"body":"x"}}]`,
		"messages are an object": `"messages":{"id":"77","from":"4915","type":"text","text":{"body":"x"}}`,
		"the BSUID is odd":       `"messages":[{"id":"77","from":"4915","from_user_id":[],"type":"text"}]`,
	} {
		batch := mustDecode(t, envelope(valueOf(value)))
		if len(batch.Messages) != 1 || batch.Messages[0].User.Id != "4915" || batch.Messages[0].Message.Id != "77" {
			t.Errorf("%s: %+v", name, batch)
		}
	}
	batch := mustDecode(t, envelope(valueOf(`"statuses":{"id":5,"status":"read","recipient_id":{},"errors":{}}`)))
	want := []provider.Status{{Number: "900", MessageID: "5", Status: "read"}}
	if diff := cmp.Diff(want, batch.Statuses); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

// TestLoneContactIsTheSender: the one contact of a change and its one sender are the same person,
// but their ids are never taken for one person's.
func TestLoneContactIsTheSender(t *testing.T) {
	const ana = `{"wa_id":"5511988887777","user_id":"BR.1","profile":{"name":"Ana","username":"@ana"}}`
	const bob = `{"wa_id":"1999","profile":{"name":"Bob"}}`
	user := func(id, waID, userID string) *wactorv1.User {
		return &wactorv1.User{Id: id, WaId: waID, UserId: userID, Name: "Ana", Username: "ana"}
	}
	for name, c := range map[string]struct {
		contacts, messages string
		want               []*wactorv1.User
	}{
		"the ninth digit":   {ana, `{"id":"a","from":"551188887777"}`, []*wactorv1.User{user("551188887777", "551188887777", "")}},
		"two of one sender": {ana, `{"id":"a","from":"1"},{"id":"b","from":"1"}`, []*wactorv1.User{user("1", "1", ""), user("1", "1", "")}},
		"no sender":         {ana, `{"id":"a"}`, []*wactorv1.User{user("5511988887777", "5511988887777", "BR.1")}},
		"no sender and one": {ana, `{"id":"a"},{"id":"b","from":"5511988887777"}`, []*wactorv1.User{user("5511988887777", "5511988887777", "BR.1"),
			user("5511988887777", "5511988887777", "BR.1")}},
		"another BSUID": {ana, `{"id":"a","from_user_id":"BR.2"}`, []*wactorv1.User{user("BR.2", "", "BR.2")}},
		"two senders":   {ana, `{"id":"a","from":"1"},{"id":"b","from":"2"}`, []*wactorv1.User{{Id: "1", WaId: "1"}, {Id: "2", WaId: "2"}}},
		"two kinds of ids": {ana, `{"id":"a","from":"1"},{"id":"b","from_user_id":"BR.2"}`,
			[]*wactorv1.User{{Id: "1", WaId: "1"}, {Id: "BR.2", UserId: "BR.2"}}},
		"two contacts":     {ana + "," + bob, `{"id":"a","from":"1"}`, []*wactorv1.User{{Id: "1", WaId: "1"}}},
		"a nameless match": {`{"profile":{"name":"Ana","username":"ana"}}`, `{"id":"a","from":"1"}`, []*wactorv1.User{user("1", "1", "")}},
	} {
		t.Run(name, func(t *testing.T) {
			batch := mustDecode(t, envelope(valueOf(`"contacts":[`+c.contacts+`],"messages":[`+c.messages+`]`)))
			var got []*wactorv1.User
			for _, m := range batch.Messages {
				got = append(got, m.User)
			}
			if diff := cmp.Diff(c.want, got, protocmp.Transform()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	strangers := mustDecode(t, envelope(valueOf(`"contacts":[`+ana+`,`+bob+`],"messages":[{"id":"a"}]`)))
	if len(strangers.Messages) != 0 || len(strangers.Unread) != 1 {
		t.Errorf("a message without sender beside two contacts: %+v", strangers)
	}
}

// TestSystemMessageWithoutSenderIsAcknowledged: user_id_update tells whose ids changed.
func TestSystemMessageWithoutSenderIsAcknowledged(t *testing.T) {
	const system = `{"id":"a","type":"system","system":{"type":"user_changed_user_id","user_id":"US.2"}}`
	want := &provider.Batch{Changes: []provider.Change{{Number: "900", Field: "system"}}}
	for _, value := range []string{
		`"messages":[` + system + `]`, `"contacts":[{"wa_id":"1","profile":{"name":"A"}}],"messages":[` + system + `]`,
	} {
		if diff := cmp.Diff(want, mustDecode(t, envelope(valueOf(value)))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
