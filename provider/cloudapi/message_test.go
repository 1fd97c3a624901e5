package cloudapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// decodeMessage decodes one message with these members beside id, from and timestamp.
func decodeMessage(t *testing.T, members string) *wactorv1.Message {
	t.Helper()
	webhook := mustDecode(t, envelope(valueOf(`"messages":[{"id":"w","from":"1555","timestamp":"1700000000",`+members+`}]`)))
	switch {
	case len(webhook.Messages) == 1:
		return webhook.Messages[0].Message
	case len(webhook.Identities) == 1:
		return webhook.Identities[0].Message
	}
	t.Fatalf("%d messages, unread %+v", len(webhook.Messages), webhook.Unread)
	return nil
}

func TestMessageTypes(t *testing.T) {
	choice := func(id, title, description string) *wactorv1.Choice {
		return &wactorv1.Choice{Id: id, Title: title, Description: description}
	}
	for name, test := range map[string]struct {
		members string
		want    *wactorv1.Message
	}{
		"text":             {`"type":"text","text":{"body":"hi"}`, &wactorv1.Message{Type: "text", Text: "hi"}},
		"text, type last":  {`"text":{"body":"hi"},"type":"text"`, &wactorv1.Message{Type: "text", Text: "hi"}},
		"text, empty":      {`"type":"text","text":{}`, &wactorv1.Message{Type: "text"}},
		"text, quoted":     {`"type":"text","text":{"body":"hi"},"context":{"from":"1","id":"q"}`, &wactorv1.Message{Type: "text", Text: "hi", ContextId: "q"}},
		"text, forwarded":  {`"type":"text","text":{"body":"hi"},"context":{"forwarded":true}`, &wactorv1.Message{Type: "text", Text: "hi"}},
		"text, from an ad": {`"type":"text","text":{"body":"hi"},"referral":{"source_url":"https://fb.me/x","headline":[]}`, &wactorv1.Message{Type: "text", Text: "hi"}},
		"image": {`"type":"image","image":{"id":"m","mime_type":"image/jpeg","sha256":"s","caption":"look","url":"https://x"}`,
			&wactorv1.Message{Type: "image", Text: "look", Media: &wactorv1.Media{Type: "image", Id: "m",
				MimeType: "image/jpeg", Sha256: "s", Caption: "look"}}},
		"video":      {`"type":"video","video":{"id":"m"}`, &wactorv1.Message{Type: "video", Media: &wactorv1.Media{Type: "video", Id: "m"}}},
		"audio":      {`"type":"audio","audio":{"id":"m","voice":false}`, &wactorv1.Message{Type: "audio", Media: &wactorv1.Media{Type: "audio", Id: "m"}}},
		"voice":      {`"type":"audio","audio":{"id":"m","voice":true}`, &wactorv1.Message{Type: "audio", Media: &wactorv1.Media{Type: "audio", Id: "m", Voice: true}}},
		"voice, old": {`"type":"voice","voice":{"id":"m"}`, &wactorv1.Message{Type: "audio", Media: &wactorv1.Media{Type: "audio", Id: "m", Voice: true}}},
		"document": {`"type":"document","document":{"id":"m","filename":"a.pdf","caption":"c"}`,
			&wactorv1.Message{Type: "document", Text: "c", Media: &wactorv1.Media{Type: "document", Id: "m",
				Filename: "a.pdf", Caption: "c"}}},
		"sticker": {`"type":"sticker","sticker":{"id":"m","animated":true}`, &wactorv1.Message{Type: "sticker", Media: &wactorv1.Media{Type: "sticker", Id: "m"}}},
		"location": {`"type":"location","location":{"latitude":-37.48,"longitude":1.2e1,"name":"Café","address":"A 1"}`,
			&wactorv1.Message{Type: "location", Location: &wactorv1.Location{Latitude: -37.48, Longitude: 12,
				Name: "Café", Address: "A 1"}}},
		"contacts":            {`"type":"contacts","contacts":[{"name":{"formatted_name":"stop"},"phones":[]}]`, &wactorv1.Message{Type: "contacts"}},
		"button reply":        {`"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"y","title":"Yes"}},"context":{"id":"q"}`, &wactorv1.Message{Type: "button_reply", Text: "Yes", ContextId: "q", Choice: choice("y", "Yes", "")}},
		"list reply":          {`"type":"interactive","interactive":{"list_reply":{"id":"r","title":"Row","description":"d"},"type":"list_reply"}`, &wactorv1.Message{Type: "list_reply", Text: "Row", Choice: choice("r", "Row", "d")}},
		"flow reply":          {`"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","body":"Sent","response_json":"{\"a\":1}"}}`, &wactorv1.Message{Type: "flow_reply", Text: `{"a":1}`, Choice: choice("flow", "Sent", "")}},
		"call permission":     {`"type":"interactive","interactive":{"type":"call_permission_reply","call_permission_reply":{}}`, &wactorv1.Message{Type: "call_permission_reply"}},
		"interactive, none":   {`"type":"interactive"`, &wactorv1.Message{Type: "unsupported"}},
		"interactive, null":   {`"type":"interactive","interactive":null`, &wactorv1.Message{Type: "unsupported"}},
		"interactive, empty":  {`"type":"interactive","interactive":{}`, &wactorv1.Message{Type: "unsupported"}},
		"button reply, none":  {`"type":"interactive","interactive":{"type":"button_reply"}`, &wactorv1.Message{Type: "unsupported"}},
		"list reply, null":    {`"type":"interactive","interactive":{"type":"list_reply","list_reply":null}`, &wactorv1.Message{Type: "unsupported"}},
		"flow reply, none":    {`"type":"interactive","interactive":{"type":"nfm_reply"}`, &wactorv1.Message{Type: "unsupported"}},
		"interactive, posing": {`"type":"interactive","interactive":{"type":"text"},"text":{"body":"x"}`, &wactorv1.Message{Type: "unsupported"}},
		"template button":     {`"type":"button","button":{"payload":"p","text":"Stop"}`, &wactorv1.Message{Type: "button", Text: "Stop", Choice: choice("p", "Stop", "")}},
		"order":               {`"type":"order","order":{"catalog_id":"c","text":"two please","product_items":[{"quantity":2}]}`, &wactorv1.Message{Type: "order", Text: "two please"}},
		"reaction":            {`"type":"reaction","reaction":{"message_id":"q","emoji":"\ud83d\udc4d"}`, &wactorv1.Message{Type: "reaction", Text: "👍", ContextId: "q"}},
		"reaction, removed":   {`"type":"reaction","reaction":{"message_id":"q"}`, &wactorv1.Message{Type: "reaction", ContextId: "q"}},
		"system":              {`"type":"system","system":{"type":"user_changed_number","body":"moved","wa_id":"1666"}`, &wactorv1.Message{Type: "system", Text: "moved"}},
		"edit, text":          {`"type":"edit","edit":{"original_message_id":"o","message":{"type":"text","text":{"body":"new"},"context":{"id":"q"}}}`, &wactorv1.Message{Type: "edit", Text: "new", ContextId: "o"}},
		"edit, media":         {`"type":"edit","edit":{"message":{"image":{"id":"m","caption":"new"},"type":"image"},"original_message_id":"o"}`, &wactorv1.Message{Type: "edit", Text: "new", ContextId: "o", Media: &wactorv1.Media{Type: "image", Id: "m", Caption: "new"}}},
		"edit of an edit":     {`"type":"edit","edit":{"original_message_id":"o","message":{"type":"edit","edit":{"message":{}}}}`, &wactorv1.Message{Type: "edit", ContextId: "o"}},
		"revoke":              {`"type":"revoke","revoke":{"original_message_id":"o"}`, &wactorv1.Message{Type: "revoke", ContextId: "o"}},
		"request_welcome":     {`"type":"request_welcome"`, &wactorv1.Message{Type: "request_welcome"}},
		"unsupported":         {`"type":"unsupported","errors":[{"code":131051}],"unsupported":{"type":"poll_creation"}`, &wactorv1.Message{Type: "unsupported"}},
		"ephemeral":           {`"type":"ephemeral"`, &wactorv1.Message{Type: "unsupported"}},
		"new type":            {`"type":"hologram","hologram":{"x":[1,2]}`, &wactorv1.Message{Type: "hologram"}},
		"posing type":         {`"type":"button_reply"`, &wactorv1.Message{Type: "unsupported"}},
		"strange type":        {`"type":"a b\nc"`, &wactorv1.Message{Type: "unsupported"}},
		"long type":           {`"type":"` + strings.Repeat("a", 65) + `"`, &wactorv1.Message{Type: "unsupported"}},
		"no type":             {`"text":{"body":"hi"}`, &wactorv1.Message{Type: "unsupported"}},
		"text, none":          {`"type":"text"`, &wactorv1.Message{Type: "unsupported"}},
		"other object odd":    {`"type":"text","image":5,"text":{"body":"hi"}`, &wactorv1.Message{Type: "text", Text: "hi"}},
		"many objects":        {`"image":{},"video":{},"audio":{},"order":{},"text":{"body":"hi"},"type":"text"`, &wactorv1.Message{Type: "text", Text: "hi"}},
		"U+0000":              {`"type":"text","text":{"body":"a\u0000b"}`, &wactorv1.Message{Type: "text", Text: "a\x00b"}},
		"half a pair":         {`"type":"text","text":{"body":"a\ud83d b"}`, &wactorv1.Message{Type: "text", Text: "a\ufffd b"}},
		"invalid UTF-8":       {`"type":"text","text":{"body":"a` + "\xff" + `b"}`, &wactorv1.Message{Type: "text", Text: "a\ufffdb"}},
		"escapes":             {`"type":"text","text":{"body":"\"\\\/\b\f\n\r\té\u00E9"}`, &wactorv1.Message{Type: "text", Text: "\"\\/\b\f\n\r\téé"}},
		"escaped names":       {`"t\u0079pe":"text","text":{"b\u006fdy":"hi"}`, &wactorv1.Message{Type: "text", Text: "hi"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := decodeMessage(t, test.members)
			test.want.Id, test.want.SentMs, test.want.Raw = "w", 1700000000000, got.GetRaw()
			if diff := cmp.Diff(test.want, got, protocmp.Transform()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTimestamps(t *testing.T) {
	for timestamp, want := range map[string]int64{
		`"1700000000"`:           1700000000000,
		`1700000000`:             1700000000000,
		`"1700000000123"`:        1700000000123,
		`"0"`:                    0,
		`"-5"`:                   0,
		`-9223372036854775807`:   0,
		`"9223372036854775807"`:  0,
		`"92233720368547758070"`: 0,
		`"999999999999"`:         0,
		`"253402300799999"`:      253402300799999,
		`""`:                     0,
		`"soon"`:                 0,
		`1.5`:                    0,
		`null`:                   0,
		`{"a":1}`:                0,
	} {
		body := envelope(valueOf(fmt.Sprintf(`"messages":[{"id":"w","from":"1","type":"text","text":{},"timestamp":%s}]`, timestamp)))
		if got := mustDecode(t, body).Messages[0].Message.GetSentMs(); got != want {
			t.Errorf("timestamp %s: %d, want %d", timestamp, got, want)
		}
	}
}

func TestSender(t *testing.T) {
	const ana = `{"wa_id":"1555","user_id":"US.1","profile":{"name":"Ana"}}`
	const bob = `{"profile":{"name":"Bob"},"user_id":"BR.2"}`
	for name, test := range map[string]struct {
		contacts, ids string
		want          *wactorv1.User
	}{
		"phone alone":               {``, `"from":"1555"`, &wactorv1.User{Id: "1555", WaId: "1555"}},
		"phone and contact":         {bob + "," + ana, `"from":"1555"`, &wactorv1.User{Id: "1555", WaId: "1555", UserId: "US.1", Name: "Ana"}},
		"phone and BSUID":           {``, `"from":"1555","from_user_id":"US.1"`, &wactorv1.User{Id: "1555", WaId: "1555", UserId: "US.1"}},
		"one contact, one sender":   {ana, `"from":"1999"`, &wactorv1.User{Id: "1999", WaId: "1999", Name: "Ana"}},
		"others' contacts":          {ana + "," + bob, `"from":"1999"`, &wactorv1.User{Id: "1999", WaId: "1999"}},
		"BSUID alone":               {ana + "," + bob, `"from_user_id":"BR.2"`, &wactorv1.User{Id: "BR.2", UserId: "BR.2", Name: "Bob"}},
		"BSUID, contact has phone":  {ana, `"from_user_id":"US.1"`, &wactorv1.User{Id: "1555", WaId: "1555", UserId: "US.1", Name: "Ana"}},
		"BSUID in from":             {bob, `"from":"BR.2"`, &wactorv1.User{Id: "BR.2", UserId: "BR.2", Name: "Bob"}},
		"BSUID in from and apart":   {``, `"from":"BR.2","from_user_id":"BR.ENT.3"`, &wactorv1.User{Id: "BR.ENT.3", UserId: "BR.ENT.3"}},
		"BSUID in wa_id":            {`{"wa_id":"BR.2","profile":{"name":"Bob"}}`, `"from_user_id":"BR.2"`, &wactorv1.User{Id: "BR.2", UserId: "BR.2", Name: "Bob"}},
		"message wins over contact": {ana, `"from":"1555","from_user_id":"US.9"`, &wactorv1.User{Id: "1555", WaId: "1555", UserId: "US.9", Name: "Ana"}},
		"strange contacts":          {`5,{"wa_id":7},{"wa_id":"1555","profile":[]},` + ana, `"from":"1555"`, &wactorv1.User{Id: "1555", WaId: "1555"}},
	} {
		t.Run(name, func(t *testing.T) {
			message := `"messages":[{"id":"w","type":"text","text":{},` + test.ids + `}]`
			for _, members := range []string{`"contacts":[` + test.contacts + `],` + message, message + `,"contacts":[` + test.contacts + `]`} {
				got := mustDecode(t, envelope(valueOf(members))).Messages[0].User
				if diff := cmp.Diff(test.want, got, protocmp.Transform()); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestSenderAmongManyContacts(t *testing.T) {
	var people, messages []string
	for i := range 100 {
		people = append(people, fmt.Sprintf(`{"wa_id":"1%03d","user_id":"US.%d","profile":{"name":"N%d"}}`, i, i, i))
		messages = append(messages, fmt.Sprintf(`{"id":"w%d","from":"1%03d","type":"text","text":{}}`, i, 99-i))
	}
	messages = append(messages, `{"id":"w","from":"2000","type":"text","text":{}}`)
	webhook := mustDecode(t, envelope(valueOf(`"contacts":[`+strings.Join(people, ",")+`],"messages":[`+strings.Join(messages, ",")+`]`)))
	for i, in := range webhook.Messages[:100] {
		if want := fmt.Sprintf("N%d", 99-i); in.User.GetName() != want || in.User.GetUserId() != fmt.Sprintf("US.%d",
			99-i) {
			t.Fatalf("message %d is from %v, want %s", i, in.User, want)
		}
	}
	if got := webhook.Messages[100].User.GetName(); got != "" {
		t.Errorf("a sender without contact is called %q", got)
	}
}

func TestGroup(t *testing.T) {
	body := envelope(valueOf(`"messages":[{"id":"w","from":"1","group_id":"G","type":"text","text":{"body":"x"}}]`))
	want := &provider.Batch{Changes: []provider.Change{{Number: "900", Field: "group_messages"}}}
	if diff := cmp.Diff(want, mustDecode(t, body)); diff != "" {
		t.Error(diff)
	}
}

func TestIsBSUID(t *testing.T) {
	for id, want := range map[string]bool{
		"US.13491208655302741918": true, "br.a": true, "US.ENT.118": true, "US." + strings.Repeat("a", 128): true,
		"": false, "US.": false, "US": false, "1555": false, "U1.5": false, "USA.5": false, "US.a-b": false,
		"US.a.b":                         false,
		"US." + strings.Repeat("a", 129): false, "US.ENT.": false, "+1555": false,
	} {
		if got := IsBSUID(id); got != want {
			t.Errorf("IsBSUID(%q) = %v", id, got)
		}
	}
}
