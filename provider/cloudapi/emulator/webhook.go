package emulator

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/wactor/wactor/provider/cloudapi"
)

// Number is a business phone number, whose webhooks are built here.
type Number struct {
	// PhoneNumberID is the provider's id of the number; a webhook names it in every change.
	PhoneNumberID string
	// AppSecret signs the webhooks.
	AppSecret string
}

// Change is what one webhook tells of one number: messages, statuses, or both.
type Change struct {
	PhoneNumberID string
	Messages      []Message
	Statuses      []Status
}

// Sign returns the value of the header cloudapi.SignatureHeader for a body.
func (n Number) Sign(body []byte) string { return cloudapi.Sign(n.AppSecret, body) }

// Messages returns the body of one webhook with these messages, in this order.
func (n Number) Messages(messages ...Message) []byte {
	return Webhook(Change{PhoneNumberID: n.PhoneNumberID, Messages: messages})
}

// Statuses returns the body of one webhook with these statuses, in this order.
func (n Number) Statuses(statuses ...Status) []byte {
	return Webhook(Change{PhoneNumberID: n.PhoneNumberID, Statuses: statuses})
}

// Renamed returns the body of a webhook of the field user_id_update: a user has another BSUID. The
// phone may be empty.
func (n Number) Renamed(phone, previous, current string, atMs int64) []byte {
	out := append([]byte(nil), `{"object":"whatsapp_business_account","entry":[{"id":"100000000000000","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"`+displayNumber+`"`...)
	out = appendMember(out, "phone_number_id", n.PhoneNumberID)
	out = append(out, `},"user_id_update":[{"detail":"changed"`...)
	out = appendMember(out, "wa_id", phone)
	out = append(out, `,"user_id":{"previous":`...)
	out = appendString(out, previous)
	out = appendMember(out, "current", current)
	out = strconv.AppendInt(append(out, `},"timestamp":`...), atMs/1000, 10)
	return append(out, `}]},"field":"user_id_update"}]}]}`...)
}

// Webhook returns the body of one webhook with these changes, in this order. The numbers of one app
// share a callback, so that one POST may tell of several.
func Webhook(changes ...Change) []byte {
	size := 100
	for i := range changes {
		size += 300 + 400*len(changes[i].Messages) + 300*len(changes[i].Statuses)
	}
	out := append(make([]byte, 0, size),
		`{"object":"whatsapp_business_account","entry":[{"id":"100000000000000","changes":[`...)
	for i := range changes {
		out = appendComma(out, i)
		out = appendChange(out, &changes[i])
	}
	return append(out, `]}]}`...)
}

// displayNumber is the business's number as people read it. It is not to route by: its form
// varies.
const displayNumber = "15550000000"

func appendChange(out []byte, c *Change) []byte {
	out = append(out, `{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"`+displayNumber+
		`"`...)
	out = append(appendMember(out, "phone_number_id", c.PhoneNumberID), '}')
	if len(c.Messages) > 0 {
		out = appendContacts(out, c.Messages)
		out = append(out, `,"messages":[`...)
		for i := range c.Messages {
			out = appendComma(out, i)
			out = appendMessage(out, &c.Messages[i])
		}
		out = append(out, ']')
	}
	if len(c.Statuses) > 0 {
		out = append(out, `,"statuses":[`...)
		for i := range c.Statuses {
			out = appendComma(out, i)
			out = appendStatus(out, &c.Statuses[i])
		}
		out = append(out, ']')
	}
	return append(out, `},"field":"messages"}`...)
}

// appendContacts names each user once, where their messages stand together.
func appendContacts(out []byte, messages []Message) []byte {
	out = append(out, `,"contacts":[`...)
	for i := range messages {
		m := &messages[i]
		if i > 0 && m.User == messages[i-1].User && m.UserID == messages[i-1].UserID {
			continue
		}
		out = appendComma(out, i)
		out = append(out, `{"profile":{"name":`...)
		out = append(appendString(out, m.Name), '}')
		out = appendMember(out, "wa_id", m.User)
		out = append(appendMember(out, "user_id", m.UserID), '}')
	}
	return append(out, ']')
}

func appendComma(out []byte, i int) []byte {
	if i > 0 {
		return append(out, ',')
	}
	return out
}

// appendMember appends a member that is not the first; nothing where the value is empty.
func appendMember(out []byte, name, value string) []byte {
	if value == "" {
		return out
	}
	out = append(append(append(out, ',', '"'), name...), '"', ':')
	return appendString(out, value)
}

// appendString escapes as Meta does: all but printable ASCII, so that the bytes that are signed are
// ASCII.
func appendString(out []byte, s string) []byte {
	if !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r > '~' }) {
		return append(append(append(out, '"'), s...), '"')
	}
	quoted, _ := json.Marshal(s) // a string can always be marshalled
	for _, r := range string(quoted) {
		out = appendASCII(out, r)
	}
	return out
}
