package cloudapi

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wactor/wactor/provider"
)

func TestDecodeSendResponse(t *testing.T) {
	for body, want := range map[string]string{
		`{"messaging_product":"whatsapp","contacts":[{"input":"+1555","wa_id":"1555"}],"messages":[{"id":"wamid.x","message_status":"accepted"}]}`: "wamid.x",
		`{"messages":[{"id":"a"},{"id":"b"}]}`: "a",
		`{"messages":[]}`:                      "",
		`{"messages":[{"id":[5]}]}`:            "",
		`{"messages":{"id":"a"}}`:              "",
		`{"messages":[{"id":"a"}]`:             "",
		`{"messages":[{"id":"` + strings.Repeat("a", provider.MaxMessageID+1) + `"}]}`: "",
		`{"success":true}`: "",
		``:                 "",
		`<html>`:           "",
		`null`:             "",
	} {
		got, err := DecodeSendResponse([]byte(body))
		if got != want || (want == "") != errors.Is(err, ErrNoMessageID) {
			t.Errorf("%s: %q, %v; want %q", body, got, err, want)
		}
	}
}

func FuzzDecodeSendResponse(f *testing.F) {
	f.Add(400, []byte(`{"messages":[{"id":"wamid.x"}]}`))
	f.Add(500, []byte(`{"error":{"code":190,"error_subcode":1,"is_transient":true}}`))
	f.Add(429, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		id, err := DecodeSendResponse(body)
		if (id == "") != (err != nil) || !utf8.ValidString(id) {
			t.Fatalf("id %q, error %v", id, err)
		}
		failure := Classify(status, body)
		if failure.Reason == "" || failure.Outcome <= provider.Sent || failure.Outcome > provider.Unknown {
			t.Fatalf("%+v", failure)
		}
	})
}

func TestMarkRead(t *testing.T) {
	for typing, want := range map[bool]string{
		false: `{"messaging_product":"whatsapp","status":"read","message_id":"wamid.<x>"}`,
		true:  `{"messaging_product":"whatsapp","status":"read","message_id":"wamid.<x>","typing_indicator":{"type":"text"}}`,
	} {
		if got := string(MarkRead("wamid.<x>", typing)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
