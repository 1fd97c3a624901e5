package providertest_test

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"testing"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/providertest"
)

// toy is the least that a provider can be: a secret in a header, and a list of events. It echoes no
// reference and has no challenge.
type toy struct{ secret string }

func (toy) Challenge(url.Values) ([]byte, bool) { return nil, false }

func (c toy) Signature(header provider.Header) (provider.Signature, bool) {
	given := header.Get("X-Secret")
	return secretInHeader(subtle.ConstantTimeCompare([]byte(given), []byte(c.secret)) == 1), given != ""
}

// secretInHeader says nothing of the body.
type secretInHeader bool

func (secretInHeader) Write(part []byte) (int, error) { return len(part), nil }

func (s secretInHeader) Authentic() bool { return bool(s) }

func (toy) Decode(body []byte) (*provider.Batch, error) {
	var events []json.RawMessage
	if err := json.Unmarshal(body, &events); err != nil {
		return nil, errors.New("toy: webhook is not a list")
	}
	batch := new(provider.Batch)
	for _, raw := range events {
		var e struct{ ID, From, Text, Status string }
		err := json.Unmarshal(raw, &e)
		switch {
		case err != nil || e.ID == "":
			batch.Unread = append(batch.Unread, provider.Unread{Reason: "id is missing", Raw: raw})
		case e.Status != "":
			batch.Statuses = append(batch.Statuses, provider.Status{MessageID: e.ID, Status: e.Status})
		case e.From == "" || e.From == provider.UnreadUser:
			batch.Unread = append(batch.Unread, provider.Unread{Reason: "from is missing", Raw: raw})
		default:
			batch.Messages = append(batch.Messages, provider.Message{User: &wactorv1.User{Id: e.From, WaId: e.From},
				Message: &wactorv1.Message{Id: e.ID, Type: "text", Text: e.Text, Raw: raw}})
		}
	}
	return batch, nil
}

func (toy) Check(reply *wactorv1.Reply) error {
	if reply.GetText() == "" {
		return errors.New("toy: text is empty")
	}
	return nil
}

func (toy) Capabilities() provider.Capabilities { return provider.Capabilities{Company: "Toy"} }

// TestToy: the seam asks for nothing that only one provider has.
func TestToy(t *testing.T) {
	providertest.Run(t, providertest.Suite{
		Codec:    toy{"s"},
		Sign:     func([]byte) http.Header { return http.Header{"X-Secret": {"s"}} },
		Webhooks: [][]byte{[]byte(`[{"id":"a","from":"1","text":"hi"},{"id":"b","status":"sent"}]`)},
		Strange:  [][]byte{[]byte(`{}`), []byte(`[{"from":"1"}]`), []byte(`[5]`)},
	})
}
