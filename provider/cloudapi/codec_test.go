package cloudapi

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/wactor/wactor/provider/providertest"
)

// TestCodecConforms holds the Cloud API to what every provider must do.
func TestCodecConforms(t *testing.T) {
	providertest.Run(t, providertest.Suite{
		Codec: &Codec{VerifyToken: "token", AppSecrets: []string{"old", "secret"}},
		Sign:  func(body []byte) http.Header { return headerOf(Sign("secret", body)) },
		Webhooks: [][]byte{
			envelope(valueOf(`"messages":[` + goodText + `]`)),
			envelope(valueOf(`"statuses":[{"id":"w","status":"sent"}]`)),
			envelope(valueOf(`"messages":[{"id":"w","from":"1","type":"system","system":{"wa_id":"2"}}]`)),
		},
		Strange: [][]byte{
			[]byte(`hello`), []byte(`{"object":"page","entry":[]}`), envelope(valueOf(`"messages":[{"id":"a"},5]`)),
			envelope(valueOf(`"statuses":[{}]`)),
		},
		Challenge: url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {"77"}, "hub.verify_token": {"token"}},
		Answer:    "77",
	})
}
