package cloudapi

import (
	"errors"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Limits of one webhook body. Meta aggregates at most 1,000 updates in one POST ("Create a webhook
// endpoint"); the larger bound leaves room for a change of theirs, since a refused POST comes again
// for 7 days.
const (
	// MaxUpdates bounds messages and statuses together, and changes, of one body.
	MaxUpdates = 10_000
	// MaxDepth bounds the nesting of objects and arrays; real payloads stay below 16.
	MaxDepth = 32
	// MaxMessageID bounds a message's id in bytes. Real ones (wamid...) have 50 to 120; each is a
	// key in the store.
	MaxMessageID = 512
	// MaxUserID bounds a sender's phone or BSUID in bytes. A BSUID has at most 135 ("CC.ENT." and
	// 128 characters).
	MaxUserID = 256
	// MaxName bounds a user's name in bytes; what is longer is cut. WhatsApp's own have up to 25
	// characters.
	MaxName = 512
)

// Nobody is the user of the conversation that keeps, for each channel, what was signed and not
// understood. No user has this id.
const Nobody = "?"

// Why a body as a whole is not a WhatsApp webhook. Anything smaller is an Unread.
var (
	// ErrSyntax: the body is not one JSON value.
	ErrSyntax = errors.New("cloudapi: webhook is not JSON")
	// ErrTooDeep: objects and arrays are nested deeper than MaxDepth.
	ErrTooDeep = errors.New("cloudapi: webhook is nested too deeply")
	// ErrTooMany: more updates than MaxUpdates.
	ErrTooMany = errors.New("cloudapi: webhook holds too many updates")
	// ErrObject: "object" is not "whatsapp_business_account", so the webhook belongs to another
	// product of Meta.
	ErrObject = errors.New("cloudapi: webhook is of another object")
	// ErrEnvelope: the body is no object, or it has no list of entries.
	ErrEnvelope = errors.New("cloudapi: webhook has no entries")
)

// Webhook is what one POST of the provider holds, over all its entries, changes and phone numbers,
// each list in the order of the body.
type Webhook struct {
	Messages []Inbound
	Statuses []Status
	Unread   []Unread
	Others   []Other
}

// Inbound is one message of a user. ReceivedMs of the message is 0: the gateway knows the time,
// this package does not.
type Inbound struct {
	// PhoneNumberID names the business number that the user wrote to; never empty.
	PhoneNumberID string
	// User is the sender. Id is the phone (digits, as the webhook gave it) where there is one, else
	// the BSUID.
	User    *wactorv1.User
	Message *wactorv1.Message
	// GroupID is set where the message was written in a group: it is not the user's private
	// conversation.
	GroupID string
}

// Status is one step in the life of a message that was sent to a user. Statuses come repeated and
// out of order.
type Status struct {
	PhoneNumberID string
	// MessageID is the provider's id of the sent message; never empty.
	MessageID string
	// Status is the provider's word: sent, delivered, read, played, failed, or a new one; never
	// empty.
	Status string
	// ReplyID is the biz_opaque_callback_data that the message was sent with; empty where it was
	// sent by another program.
	ReplyID string
	// RecipientWaID and RecipientUserID name the recipient (of a group message: the participant);
	// both may be empty.
	RecipientWaID   string
	RecipientUserID string
	// AtMs is the provider's time in Unix milliseconds; 0 where it is missing.
	AtMs int64
	// ErrorCode and ErrorTitle are those of the first error of a failed message; 0 and empty where
	// there is none.
	ErrorCode  int
	ErrorTitle string
}

// Unread is a piece of a valid envelope that cannot be understood: acknowledge it, keep it, count
// it.
type Unread struct {
	// PhoneNumberID is empty where the piece does not tell.
	PhoneNumberID string
	// Reason names the field and what is wrong with it, never a value.
	Reason string
	// Raw is the piece, exactly as it came.
	Raw []byte
}

// Other is a change that holds nothing to answer: account events, standby copies of a thread that
// another app owns, echoes and history of the business's own phone, errors without a message.
type Other struct {
	// PhoneNumberID is empty for changes of the whole account.
	PhoneNumberID string
	Field         string
}
