package cloudapi

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wactor/wactor/provider"
)

// envelope wraps changes into a webhook body.
func envelope(changes ...string) []byte {
	return []byte(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[` + strings.Join(changes, ",") + `]}]}`)
}

// valueOf is a change of the field "messages" on the number 900 with these members of value.
func valueOf(members string) string {
	return `{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"phone_number_id":"900"},` + members + `}}`
}

const goodText = `{"id":"wamid.good","from":"15550001","timestamp":"1700000000","type":"text","text":{"body":"hi"}}`

func mustDecode(t *testing.T, body []byte) *provider.Batch {
	t.Helper()
	webhook, err := Decode(body)
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	return webhook
}

func TestDecodeRefusesBodiesThatAreNoWebhook(t *testing.T) {
	many := strings.Repeat(goodText+",", maxUpdates) + goodText
	for name, test := range map[string]struct {
		body string
		want error
	}{
		"empty":             {"", ErrSyntax},
		"text":              {"hello", ErrSyntax},
		"cut off":           {string(envelope(valueOf(`"messages":[` + goodText + `]`))[:120]), ErrSyntax},
		"more behind":       {string(envelope()) + "{}", ErrSyntax},
		"late mistake":      {string(envelope(valueOf(`"messages":[`+goodText+`]`), `{"field":tru}`)), ErrSyntax},
		"control character": {string(envelope(`{"field":"a` + "\x00" + `"}`)), ErrSyntax},
		"bad escape":        {string(envelope(`{"field":"\u12g4"}`)), ErrSyntax},
		"array":             {"[]", ErrEnvelope},
		"number":            {"12", ErrEnvelope},
		"no object":         {`{"entry":[]}`, ErrObject},
		"object of a page":  {`{"object":"page","entry":[]}`, ErrObject},
		"object a number":   {`{"object":1,"entry":[]}`, ErrObject},
		"no entry":          {`{"object":"whatsapp_business_account"}`, ErrEnvelope},
		"entry an object":   {`{"object":"whatsapp_business_account","entry":{}}`, ErrEnvelope},
		"entry null":        {`{"object":"whatsapp_business_account","entry":null}`, ErrEnvelope},
		"deep":              {`{"object":"whatsapp_business_account","entry":[],"x":` + nested(maxDepth) + `}`, ErrTooDeep},
		"very deep":         {strings.Repeat("[", 1<<20), ErrTooDeep},
		"many messages":     {string(envelope(valueOf(`"messages":[` + many + `]`))), ErrTooMany},
		"many changes":      {string(envelope(strings.Repeat(`{},`, maxUpdates) + `{}`)), ErrTooMany},
		"many bad entries":  {`{"object":"whatsapp_business_account","entry":[` + strings.Repeat(`1,`, maxUpdates) + `1]}`, ErrTooMany},
	} {
		t.Run(name, func(t *testing.T) {
			webhook, err := Decode([]byte(test.body))
			if !errors.Is(err, test.want) || webhook != nil {
				t.Errorf("Decode = %v, %v; want %v", webhook, err, test.want)
			}
		})
	}
}

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func TestDecodeAcceptsAsMuchAsItPromises(t *testing.T) {
	var messages []string
	for i := range maxUpdates {
		messages = append(messages, fmt.Sprintf(`{"id":"wamid.%d","from":"1555%d","type":"text","text":{"body":"%d"}}`, i, i%40, i))
	}
	webhook := mustDecode(t, envelope(valueOf(`"messages":[`+strings.Join(messages, ",")+`]`)))
	if len(webhook.Messages) != maxUpdates {
		t.Fatalf("%d messages, want %d", len(webhook.Messages), maxUpdates)
	}
	for i, in := range webhook.Messages {
		if want := fmt.Sprintf("wamid.%d", i); in.Message.GetId() != want ||
			string(in.Message.GetRaw()) != messages[i] {
			t.Fatalf("message %d is %s", i, in.Message.GetId())
		}
	}
	body := `{"object":"whatsapp_business_account","entry":[],"x":` + nested(maxDepth-1) + `}`
	mustDecode(t, []byte(body))
}

func TestOneStrangePieceSpoilsNoOther(t *testing.T) {
	for name, test := range map[string]struct{ piece, reason string }{
		"no id":              {`{"from":"1","type":"text","text":{"body":"x"}}`, "id is missing"},
		"null id":            {`{"id":null,"from":"1","type":"text","text":{"body":"x"}}`, "id is missing"},
		"id too long":        {`{"id":"` + strings.Repeat("x", provider.MaxMessageID+1) + `","from":"1"}`, "id is too long"},
		"id with control":    {`{"id":"\u0000sent","from":"1"}`, "id holds control characters"},
		"no sender":          {`{"id":"a","type":"text","text":{"body":"x"}}`, "sender is missing"},
		"sender too long":    {`{"id":"a","from":"` + strings.Repeat("1", provider.MaxUserID+1) + `"}`, "sender is too long"},
		"sender is reserved": {`{"id":"a","from":"?"}`, "sender is reserved"},
		"sender an object":   {`{"id":"a","from":{},"type":"text"}`, "from is of the wrong JSON type"},
		"both ids unfit":     {`{"id":"a","from":"?","from_user_id":"US.\u0000"}`, "sender holds control characters"},
		"id an object":       {`{"id":{},"from":"1"}`, "id is of the wrong JSON type"},
		"a number":           {`12`, "message is of the wrong JSON type"},
		"a string":           {`"x"`, "message is of the wrong JSON type"},
		"a list":             {`[{"id":"a","from":"1"}]`, "message is of the wrong JSON type"},
		"null":               {`null`, "id is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			webhook := mustDecode(t, envelope(valueOf(`"messages":[`+goodText+`, `+test.piece+` ,`+goodText+`]`), valueOf(`"messages":[`+goodText+`]`)))
			if len(webhook.Messages) != 3 {
				t.Errorf("%d messages, want the 3 good ones", len(webhook.Messages))
			}
			want := []provider.Unread{{Number: "900", Reason: test.reason, Raw: []byte(test.piece)}}
			if diff := cmp.Diff(want, webhook.Unread); diff != "" {
				t.Errorf("unread (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStrangeEnvelopeParts(t *testing.T) {
	good := valueOf(`"messages":[` + goodText + `]`)
	for name, test := range map[string]struct {
		change string
		want   provider.Unread
	}{
		"change a number":       {`5`, provider.Unread{Reason: "change is of the wrong JSON type", Raw: []byte(`5`)}},
		"value a string":        {`{"field":"messages","value":"x"}`, provider.Unread{Reason: "value is of the wrong JSON type", Raw: []byte(`{"field":"messages","value":"x"}`)}},
		"messages an object":    {valueOf(`"messages":{"id":"a"}`), provider.Unread{Number: "900", Reason: "sender is missing", Raw: []byte(`{"id":"a"}`)}},
		"statuses a string":     {valueOf(`"statuses":"sent"`), provider.Unread{Number: "900", Reason: "statuses is of the wrong JSON type", Raw: []byte(`"sent"`)}},
		"no field":              {`{"value":{"messages":[` + goodText + `]}}`, provider.Unread{Reason: "field is missing", Raw: []byte(`{"value":{"messages":[` + goodText + `]}}`)}},
		"no number":             {`{"field":"messages","value":{"messages":[` + goodText + `]}}`, provider.Unread{Reason: "metadata.phone_number_id is missing", Raw: []byte(`{"field":"messages","value":{"messages":[` + goodText + `]}}`)}},
		"metadata a list":       {`{"field":"messages","value":{"metadata":[],"messages":[]}}`, provider.Unread{Reason: "metadata is of the wrong JSON type", Raw: []byte(`{"field":"messages","value":{"metadata":[],"messages":[]}}`)}},
		"status without id":     {valueOf(`"statuses":[{"status":"sent"}]`), provider.Unread{Number: "900", Reason: "status.id is missing", Raw: []byte(`{"status":"sent"}`)}},
		"status without status": {valueOf(`"statuses":[{"id":"w"}]`), provider.Unread{Number: "900", Reason: "status.status is missing", Raw: []byte(`{"id":"w"}`)}},
		"status a string":       {valueOf(`"statuses":["sent"]`), provider.Unread{Number: "900", Reason: "status is of the wrong JSON type", Raw: []byte(`"sent"`)}},
	} {
		t.Run(name, func(t *testing.T) {
			webhook := mustDecode(t, envelope(good, test.change, good))
			if len(webhook.Messages) != 2 {
				t.Errorf("%d messages, want the 2 good ones", len(webhook.Messages))
			}
			if diff := cmp.Diff([]provider.Unread{test.want}, webhook.Unread); diff != "" {
				t.Errorf("unread (-want +got):\n%s", diff)
			}
		})
	}
	body := `{"object":"whatsapp_business_account","entry":[7,{"changes":{}},{"changes":[` + good + `]},{},null]}`
	webhook := mustDecode(t, []byte(body))
	if len(webhook.Messages) != 1 || len(webhook.Unread) != 2 {
		t.Errorf("strange entries: %d messages, %d unread; want 1 and 2", len(webhook.Messages), len(webhook.Unread))
	}
}

func TestChangesWithoutAnythingToAnswer(t *testing.T) {
	message := `"metadata":{"phone_number_id":"900"},"messages":[` + goodText + `]`
	webhook := mustDecode(t, envelope(
		`{"field":"standby","value":{`+message+`}}`,
		`{"field":"smb_message_echoes","value":{`+message+`}}`,
		`{"field":"history","value":{`+message+`}}`,
		`{"field":"account_update","value":{"event":"X","phone_number":"1"}}`,
		`{"value":{"metadata":{"phone_number_id":"900"}}}`,
		valueOf(`"errors":[{"code":131000}]`),
		valueOf(`"user_actions":[{"action_type":"x"}]`),
		valueOf(`"messages":[ ],"statuses":null`),
		`{"field":"user_preferences","value":"x"}`,
	))
	want := []string{
		"900 standby", "900 smb_message_echoes", "900 history", " account_update", "900 unknown", "900 errors",
		"900 messages", "900 messages", " user_preferences",
	}
	var got []string
	for _, c := range webhook.Changes {
		got = append(got, c.Number+" "+c.Field)
	}
	if len(webhook.Messages)+len(webhook.Statuses)+len(webhook.Unread) > 0 {
		t.Errorf("more than changes: %+v", webhook)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStatuses(t *testing.T) {
	webhook := mustDecode(t, envelope(valueOf(`"statuses":[
		{"id":"w1","status":"delivered","timestamp":"1700000001","recipient_id":"15550001","biz_opaque_callback_data":"r1","pricing":{"billable":true}},
		{"id":"w2","status":"failed","timestamp":1700000002000,"recipient_user_id":"US.12","errors":[{"code":131047,"title":"Re-engagement message","message":"Re-engagement message","error_data":{"details":"More than 24 hours for 15550001"}},{"code":1}]},
		{"id":"w3","status":"failed","timestamp":"soon","recipient_id":"US.12","errors":[{"code":"131026"}]},
		{"id":"w4","status":"warped","recipient_type":"group","recipient_id":"G","participant_recipient_id":"15550002","errors":"x"},
		{"id":"w5","status":"sent","recipient_type":"group","recipient_id":"G","recipient_participant_id":"15550003","recipient_participant_user_id":"US.13"}],
		"messages":[`+goodText+`]`)))
	want := []provider.Status{
		{Number: "900", MessageID: "w1", Status: "delivered", ReplyID: "r1", RecipientWaID: "15550001",
			AtMs: 1700000001000},
		{Number: "900", MessageID: "w2", Status: "failed", RecipientUserID: "US.12", AtMs: 1700000002000,
			ErrorCode: 131047, ErrorText: "Re-engagement message: More than 24 hours for ...", WindowClosed: true},
		{Number: "900", MessageID: "w3", Status: "failed", RecipientUserID: "US.12", ErrorCode: 131026},
		{Number: "900", MessageID: "w4", Status: "warped", RecipientWaID: "15550002"},
		{Number: "900", MessageID: "w5", Status: "sent", RecipientWaID: "15550003", RecipientUserID: "US.13"},
	}
	if diff := cmp.Diff(want, webhook.Statuses); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(webhook.Messages) != 1 {
		t.Error("a message beside statuses was lost")
	}
}

func TestNothingAliasesTheBody(t *testing.T) {
	body := envelope(valueOf(`"contacts":[{"wa_id":"15550001","profile":{"name":"Ana"}}],"messages":[` + goodText + `,{"id":"","x":1}]`))
	webhook := mustDecode(t, body)
	before := render(t, webhook)
	raw := string(webhook.Messages[0].Message.GetRaw())
	for i := range body {
		body[i] = 'X'
	}
	if !bytes.Equal(before, render(t, webhook)) || raw != string(webhook.Messages[0].Message.GetRaw()) {
		t.Error("the webhook changed with the buffer of the body")
	}
}

// TestStrangeContactsSpoilNoMessage: what a contact adds and can't be an id of the user is left
// out, and a long name is cut.
func TestStrangeContactsSpoilNoMessage(t *testing.T) {
	for name, id := range map[string]string{
		"too long": strings.Repeat("x", provider.MaxUserID+1), "control characters": `DE.\u0001`, "reserved": provider.UnreadUser,
	} {
		contact := `"contacts":[{"wa_id":"1","user_id":"` + id + `","profile":{"name":"` + strings.Repeat("é", MaxName) + `"}}]`
		webhook := mustDecode(t, envelope(valueOf(contact+`,"messages":[{"id":"a","from":"1","type":"text","text":{"body":"x"}}]`)))
		if len(webhook.Messages) != 1 {
			t.Fatalf("%s: %d messages, unread %v", name, len(webhook.Messages), webhook.Unread)
		}
		if user := webhook.Messages[0].User; user.UserId != "" || user.WaId != "1" || user.Name != strings.Repeat("é",
			MaxName/2) {
			t.Errorf("%s: user %q, %q, a name of %d bytes", name, user.WaId, user.UserId, len(user.Name))
		}
	}
}
