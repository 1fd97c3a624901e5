package providertest

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/url"

	"github.com/wactor/wactor/internal/secret"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// Toy is the least that a provider can be: its settings and its codec, with a secret in a header
// and a list of events as a webhook. It echoes no reference and has no challenge.
type Toy struct {
	Line   string        `yaml:"line"`
	Secret secret.Secret `yaml:"secret"`
}

// NewToy returns settings with all defaults.
func NewToy() provider.Settings { return &Toy{} }

// Number implements provider.Settings.
func (c *Toy) Number() (key, id string) { return "line", c.Line }

// IgnoredNumbers implements provider.Settings.
func (c *Toy) IgnoredNumbers() []string { return nil }

// WebhookSecrets implements provider.Settings.
func (c *Toy) WebhookSecrets() []string { return []string{c.Secret.Reveal()} }

// Validate implements provider.Settings.
func (c *Toy) Validate(r provider.Report) {
	r.Required("line", c.Line == "", "name the line")
	r.Tokens("secret", "choose one", c.Secret)
}

// Warn implements provider.Settings.
func (c *Toy) Warn(provider.Report) {}

// Codec implements provider.Settings.
func (c *Toy) Codec() provider.Codec { return toy{c.Secret.Reveal()} }

// ToySender sends by a function, which gets the user's id and the text.
type ToySender struct{ Sent func(to, text string) }

// Send implements provider.Sender.
func (s ToySender) Send(_ context.Context, out *provider.Outgoing) provider.Result {
	s.Sent(out.To.GetId(), out.Reply.GetText())
	return provider.Result{Outcome: provider.Sent, ProviderID: "toy." + out.ReplyID}
}

// MarkRead implements provider.Sender.
func (ToySender) MarkRead(context.Context, string) error { return nil }

// Renew implements provider.Sender.
func (ToySender) Renew(provider.Settings) error { return nil }

// Close implements provider.Sender.
func (ToySender) Close() {}

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
