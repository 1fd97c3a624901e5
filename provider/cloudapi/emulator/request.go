package emulator

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/cloudapi"
)

// outbound is a request to send a message, or to mark one as read.
type outbound struct {
	MessagingProduct string `json:"messaging_product"`
	Status           string `json:"status"`
	MessageID        string `json:"message_id"`
	To               string `json:"to"`
	Recipient        string `json:"recipient"`
	Type             string `json:"type"`
	ReplyID          string `json:"biz_opaque_callback_data"`
	Text             *struct {
		Body string `json:"body"`
	} `json:"text"`
}

// recipient is the phone without a plus sign, or the BSUID.
func (o *outbound) recipient() string {
	if o.To != "" {
		return strings.TrimPrefix(o.To, "+")
	}
	return o.Recipient
}

// body is the text of a text; empty for all else.
func (o *outbound) body() string {
	if o.Type != "text" {
		return ""
	}
	return o.Text.Body
}

// isReceipt tells a request that marks a message as read (and may show that the business is typing)
// from a message.
func (o *outbound) isReceipt() bool { return o.Status != "" }

// readRequest reads a request and checks it as the provider does. A text, which load tests send, is
// decoded once; for the limits of the other types the body is decoded again.
func readRequest(body []byte) (*outbound, *refusal) {
	var o outbound
	if err := json.Unmarshal(body, &o); err != nil {
		return nil, invalid("The body is no JSON object of a message.")
	}
	if o.MessagingProduct != "whatsapp" {
		return nil, invalid("The parameter messaging_product must be \"whatsapp\".")
	}
	if o.isReceipt() {
		return &o, o.checkReceipt()
	}
	if o.recipient() == "" {
		return nil, missing("to")
	}
	if utf8.RuneCountInString(o.ReplyID) > cloudapi.MaxReplyID {
		return nil, beyond("biz_opaque_callback_data is too long.")
	}
	if o.Type == "" {
		o.Type = "text" // as the reference says
	}
	if o.Type != "text" {
		return &o, checkContent(o.Type, body)
	}
	return &o, o.checkText()
}

func (o *outbound) checkReceipt() *refusal {
	if o.Status != "read" {
		return invalid("The parameter status must be \"read\".")
	}
	if o.MessageID == "" {
		return missing("message_id")
	}
	return nil
}

func (o *outbound) checkText() *refusal {
	if o.Text == nil || o.Text.Body == "" {
		return missing("text['body']")
	}
	if len(o.Text.Body) > provider.MaxText && utf8.RuneCountInString(o.Text.Body) > provider.MaxText {
		return beyond("The body of a text has at most 4096 characters.")
	}
	return nil
}
