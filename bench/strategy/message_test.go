package strategy

import (
	"slices"
	"testing"
)

const body = `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{
	"messaging_product":"whatsapp","metadata":{"display_phone_number":"1","phone_number_id":"100"},
	"contacts":[{"profile":{"name":"A"},"wa_id":"4915"}],
	"messages":[
		{"from":"4915","id":"wamid.1","timestamp":"1700000000","type":"text","text":{"body":"hello"}},
		{"from_user_id":"DE.1","id":"wamid.2","timestamp":"1700000000","type":"text","text":{"body":"hi"}}]}}]}]}`

func TestParse(t *testing.T) {
	got, err := parse([]byte(body))
	want := []Message{{"wamid.1", "4915", "hello"}, {"wamid.2", "DE.1", "hi"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestParseStatuses(t *testing.T) {
	got, err := parse([]byte(`{"object":"whatsapp_business_account","entry":[{"changes":[{"value":{"statuses":[{"id":"wamid.3","status":"sent"}]}}]}]}`))
	if err != nil || len(got) > 0 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, bad := range []string{
		``, `[]`, `{"object":"page","entry":[]}`,
		`{"object":"whatsapp_business_account","entry":[{"changes":[{"value":{"messages":[{"from":"1"}]}}]}]}`,
		`{"object":"whatsapp_business_account","entry":[{"changes":[{"value":{"messages":[{"id":"1"}]}}]}]}`,
	} {
		if got, err := parse([]byte(bad)); err == nil {
			t.Errorf("%s: %v", bad, got)
		}
	}
}
