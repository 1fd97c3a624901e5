package strategy

import (
	"encoding/json"
	"errors"
)

// Message is one text that a user wrote.
type Message struct {
	// ID is the provider's: the same message posted again has the same.
	ID string `json:"id"`
	// User is the sender's phone, or the BSUID where the webhook has no phone.
	User string `json:"user"`
	Text string `json:"text"`
}

// errWebhook says that a body is no webhook of WhatsApp.
var errWebhook = errors.New("strategy: the body is no webhook of a WhatsApp business account")

// webhook is what is read of a body; statuses and all else are passed over.
type webhook struct {
	Object string `json:"object"`
	Entry  []struct {
		Changes []struct {
			Value struct {
				Messages []struct {
					ID       string `json:"id"`
					From     string `json:"from"`
					FromUser string `json:"from_user_id"`
					Text     struct {
						Body string `json:"body"`
					} `json:"text"`
				} `json:"messages"`
			} `json:"value"`
		} `json:"changes"`
	} `json:"entry"`
}

// parse returns the messages of a webhook, in its order; none where it tells statuses.
func parse(body []byte) ([]Message, error) {
	var w webhook
	if err := json.Unmarshal(body, &w); err != nil || w.Object != "whatsapp_business_account" {
		return nil, errWebhook
	}
	var out []Message
	for _, entry := range w.Entry {
		for _, change := range entry.Changes {
			for _, m := range change.Value.Messages {
				user := m.From
				if user == "" {
					user = m.FromUser
				}
				if m.ID == "" || user == "" {
					return nil, errWebhook
				}
				out = append(out, Message{ID: m.ID, User: user, Text: m.Text.Body})
			}
		}
	}
	return out, nil
}
