package emulator

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/wactor/wactor/whatsapp"
)

// Number is a business phone number, whose webhooks are built here.
type Number struct {
	// PhoneNumberID is the provider's id of the number; a webhook names it in every change.
	PhoneNumberID string
	// AppSecret signs the webhooks.
	AppSecret string
}

// Message is what one user sends.
type Message struct {
	// ID is the message's id (wamid...).
	ID string
	// User is the phone (digits), UserID the BSUID; one of them may be empty.
	User, UserID string
	// Name is the profile name.
	Name string
	// SentMs is the time of sending in Unix milliseconds; the webhook tells its second.
	SentMs int64
	// Text is what the user writes.
	Text string
	// Tap, where set, makes it a tap on a button or a list row instead of a text.
	Tap *Tap
}

// Tap is a tap on an option of a prompt.
type Tap struct {
	// List says that the option is a row of a list, and else a button.
	List bool
	// ID and Title are the option's.
	ID, Title string
	// Prompt is the id of the message that shows the option.
	Prompt string
}

// Status is what became of a message of the business.
type Status struct {
	// ID is the provider's id of the message, ReplyID its biz_opaque_callback_data.
	ID, ReplyID string
	// User is the recipient.
	User string
	// Status is sent, delivered, read or failed.
	Status string
	// AtMs is its time in Unix milliseconds.
	AtMs int64
	// Code is the error's code where it failed.
	Code int
}

// Sign returns the value of the header whatsapp.SignatureHeader for a body.
func (n Number) Sign(body []byte) string { return whatsapp.Sign(n.AppSecret, body) }

// Messages returns the body of one webhook with these messages, in this order.
func (n Number) Messages(messages ...Message) []byte {
	out := n.begin(make([]byte, 0, 300+300*len(messages)))
	out = append(out, `,"contacts":[`...)
	for i, m := range messages {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendContact(out, m)
	}
	out = append(out, `],"messages":[`...)
	for i, m := range messages {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendMessage(out, m)
	}
	return end(append(out, ']'))
}

// Statuses returns the body of one webhook with these statuses, in this order.
func (n Number) Statuses(statuses ...Status) []byte {
	out := n.begin(make([]byte, 0, 300+250*len(statuses)))
	out = append(out, `,"statuses":[`...)
	for i, s := range statuses {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendStatus(out, s)
	}
	return end(append(out, ']'))
}

func (n Number) begin(out []byte) []byte {
	out = append(out, `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{`+
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550000000","phone_number_id":`...)
	return append(appendString(out, n.PhoneNumberID), '}')
}

func end(out []byte) []byte { return append(out, `}}]}]}`...) }

func appendContact(out []byte, m Message) []byte {
	out = append(out, `{"profile":{"name":`...)
	out = appendString(out, m.Name)
	out = append(out, '}')
	out = appendMember(out, "wa_id", m.User)
	out = appendMember(out, "user_id", m.UserID)
	return append(out, '}')
}

func appendMessage(out []byte, m Message) []byte {
	out = append(out, `{"id":`...)
	out = appendString(out, m.ID)
	out = appendMember(out, "from", m.User)
	out = appendMember(out, "from_user_id", m.UserID)
	out = append(out, `,"timestamp":"`...)
	out = strconv.AppendInt(out, m.SentMs/1000, 10)
	if m.Tap == nil {
		out = append(out, `","type":"text","text":{"body":`...)
		return append(appendString(out, m.Text), '}', '}')
	}
	kind := "button_reply"
	if m.Tap.List {
		kind = "list_reply"
	}
	out = append(out, `","type":"interactive","interactive":{"type":"`+kind+`","`+kind+`":{"id":`...)
	out = appendString(out, m.Tap.ID)
	out = appendMember(out, "title", m.Tap.Title)
	out = append(out, `}},"context":{"id":`...)
	return append(appendString(out, m.Tap.Prompt), '}', '}')
}

func appendStatus(out []byte, s Status) []byte {
	out = append(out, `{"id":`...)
	out = appendString(out, s.ID)
	out = appendMember(out, "status", s.Status)
	out = append(out, `,"timestamp":"`...)
	out = strconv.AppendInt(out, s.AtMs/1000, 10)
	out = append(out, '"')
	out = appendMember(out, "recipient_id", s.User)
	out = appendMember(out, "biz_opaque_callback_data", s.ReplyID)
	if s.Code != 0 {
		out = append(out, `,"errors":[{"code":`...)
		out = append(strconv.AppendInt(out, int64(s.Code), 10), '}', ']')
	}
	return append(out, '}')
}

// appendMember appends a member that is not the first; nothing where the value is empty.
func appendMember(out []byte, name, value string) []byte {
	if value == "" {
		return out
	}
	out = append(out, `,"`+name+`":`...)
	return appendString(out, value)
}

func appendString(out []byte, s string) []byte {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r > '~' }) {
		quoted, _ := json.Marshal(s) // a string can always be marshalled
		return append(out, quoted...)
	}
	return append(append(append(out, '"'), s...), '"')
}
