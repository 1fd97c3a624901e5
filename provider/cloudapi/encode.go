package cloudapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Why a reply has no request body. Both are for good: the same reply will not encode later.
var (
	// ErrNoRecipient: neither phone nor BSUID.
	ErrNoRecipient = errors.New("cloudapi: recipient has neither phone nor BSUID")
	// ErrNotSendable: the reply has no content, or its content cannot be written as a message.
	// Check says more.
	ErrNotSendable = errors.New("cloudapi: reply has no sendable content")
)

// Recipient is whom a message is for. The phone wins where both are known.
type Recipient struct {
	// WaID is the phone in the digits that the webhook gave, without a plus sign; never normalised,
	// since the provider's form of Brazilian, Mexican and Argentinian numbers differs from the
	// dialled one.
	WaID string
	// UserID is the BSUID, whole.
	UserID string
}

// Encode makes the body of POST /{phone_number_id}/messages. replyID travels as
// biz_opaque_callback_data and comes back in the statuses of the message; at most MaxReplyID
// characters, empty to send none. Errors wrap ErrNoRecipient or ErrNotSendable.
//
// Encode does not check limits, Check does; what passes Check encodes.
func Encode(to Recipient, replyID string, reply *wactorv1.Reply) ([]byte, error) {
	phone, user := to.address()
	if phone == "" && user == "" {
		return nil, ErrNoRecipient
	}
	if utf8.RuneCountInString(replyID) > MaxReplyID {
		return nil, fmt.Errorf("%w: reply id is longer than %d characters", ErrNotSendable, MaxReplyID)
	}
	if raw := reply.GetRaw(); raw != nil {
		return encodeRaw(raw.AsMap(), phone, user, replyID, reply.GetReplyTo())
	}
	r := request{MessagingProduct: "whatsapp", RecipientType: "individual", To: phone, Recipient: user,
		ReplyID: replyID}
	if quoted := reply.GetReplyTo(); quoted != "" {
		r.Context = &messageRef{MessageID: quoted}
	}
	if body, ok := r.encodeText(reply); ok {
		return body, nil
	}
	if !r.content(reply) {
		return nil, ErrNotSendable
	}
	return marshal(&r)
}

// address returns "to" in E.164 form (without the plus sign the provider may prepend the business
// number's country code: R1, a Rust SDK that follows Meta's pages), or else "recipient".
func (r Recipient) address() (phone, user string) {
	waID, userID := sortIDs(r.WaID, r.UserID)
	if waID == "" {
		return "", userID
	}
	return "+" + strings.TrimPrefix(waID, "+"), ""
}

// request is the provider's message object; the content stands in the field named after its type.
type request struct {
	MessagingProduct string      `json:"messaging_product"`
	RecipientType    string      `json:"recipient_type"`
	To               string      `json:"to,omitempty"`
	Recipient        string      `json:"recipient,omitempty"`
	Context          *messageRef `json:"context,omitempty"`
	ReplyID          string      `json:"biz_opaque_callback_data,omitempty"`

	Type string `json:"type"`
	contents
}

// contents has the one content of a message.
type contents struct {
	Text        *textContent        `json:"text,omitempty"`
	Interactive *interactiveContent `json:"interactive,omitempty"`
	Image       *mediaContent       `json:"image,omitempty"`
	Video       *mediaContent       `json:"video,omitempty"`
	Audio       *mediaContent       `json:"audio,omitempty"`
	Document    *mediaContent       `json:"document,omitempty"`
	Sticker     *mediaContent       `json:"sticker,omitempty"`
	Location    *locationContent    `json:"location,omitempty"`
	Template    *templateContent    `json:"template,omitempty"`
	Reaction    *reactionContent    `json:"reaction,omitempty"`
}

type messageRef struct {
	MessageID string `json:"message_id"`
}

// content sets type and content; false where there is none.
func (r *request) content(reply *wactorv1.Reply) bool {
	switch content := reply.GetContent().(type) {
	case *wactorv1.Reply_Text:
		r.Type, r.Text = "text", &textContent{Body: content.Text, PreviewURL: reply.GetPreviewUrl()}
	case *wactorv1.Reply_Buttons:
		r.Type, r.Interactive = "interactive", buttonsContent(content.Buttons)
	case *wactorv1.Reply_List:
		r.Type, r.Interactive = "interactive", listContent(content.List)
	case *wactorv1.Reply_Cta:
		r.Type, r.Interactive = "interactive", ctaContent(content.Cta)
	case *wactorv1.Reply_LocationRequest:
		r.Type, r.Interactive = "interactive", locationRequestContent(content.LocationRequest)
	case *wactorv1.Reply_Media:
		return r.media(content.Media)
	case *wactorv1.Reply_Location:
		r.Type, r.Location = "location", newLocation(content.Location)
	case *wactorv1.Reply_Template:
		r.Type, r.Template = "template", newTemplate(content.Template)
	case *wactorv1.Reply_Reaction:
		r.Type = "reaction"
		r.Reaction = &reactionContent{MessageID: content.Reaction.GetMessageId(), Emoji: content.Reaction.GetEmoji()}
	default:
		return false
	}
	return true
}

func (r *request) media(media *wactorv1.Media) bool {
	content := newMedia(media)
	r.Type = media.GetType()
	switch r.Type {
	case "image":
		r.Image = content
	case "video":
		r.Video = content
	case "audio":
		r.Audio = content
	case "document":
		r.Document = content
	case "sticker":
		r.Sticker = content
	default:
		return false
	}
	return true
}

// encodeRaw puts the frame around the provider's own object. What the bot set of the frame is
// overwritten.
func encodeRaw(message map[string]any, phone, user, replyID, quoted string) ([]byte, error) {
	if kind, _ := message["type"].(string); kind == "" {
		return nil, fmt.Errorf("%w: a raw message without type", ErrNotSendable)
	}
	framed := maps.Clone(message)
	for _, field := range ownFields {
		delete(framed, field)
	}
	framed["messaging_product"] = "whatsapp"
	framed["recipient_type"] = "individual"
	if phone != "" {
		framed["to"] = phone
	} else {
		framed["recipient"] = user
	}
	if replyID != "" {
		framed["biz_opaque_callback_data"] = replyID
	}
	if quoted != "" {
		framed["context"] = messageRef{MessageID: quoted}
	}
	return marshal(framed)
}

// marshal is json.Marshal without the escapes for HTML, which only make texts longer.
func marshal(value any) ([]byte, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotSendable, err)
	}
	return bytes.TrimSuffix(body.Bytes(), []byte("\n")), nil
}

// MarkRead makes the body of POST /{phone_number_id}/messages that marks a message of the user, and
// all before it, as read. With typing, the user also sees "typing..." until the next message or for
// 25 s; so it must not follow the reply. Source: Meta, "Typing indicators".
func MarkRead(messageID string, typing bool) []byte {
	receipt := struct {
		MessagingProduct string       `json:"messaging_product"`
		Status           string       `json:"status"`
		MessageID        string       `json:"message_id"`
		Typing           *typingState `json:"typing_indicator,omitempty"`
	}{MessagingProduct: "whatsapp", Status: "read", MessageID: messageID}
	if typing {
		receipt.Typing = &typingState{Type: "text"}
	}
	body, err := marshal(&receipt)
	if err != nil {
		panic("cloudapi: strings do not encode: " + err.Error())
	}
	return body
}

type typingState struct {
	Type string `json:"type"`
}
