package provider

import wactorv1 "github.com/wactor/wactor/proto/wactor/v1"

// Bounds of what a codec returns. Ids and users become keys of the store.
const (
	// MaxMessageID bounds a message's id, in bytes.
	MaxMessageID = 512
	// MaxUserID bounds each id of a user, in bytes.
	MaxUserID = 256
)

// UnreadUser is the user of what was signed and not understood: the conversation <channel>/? keeps
// it. No user has this id.
const UnreadUser = "?"

// Batch is what one webhook holds, each list in the order of the body. Its parts may belong to
// several business numbers: Number is the provider's id of the one, and empty where the webhook
// names none; then the part belongs to the channel of the webhook's address.
type Batch struct {
	Messages   []Message
	Identities []Identity
	Statuses   []Status
	Changes    []Change
	Unread     []Unread
	// Test: the webhook is a sample that the provider's console sends on demand. Its business
	// number is made up.
	Test bool
}

// Message is one message of a user.
type Message struct {
	Number string
	// User is the sender; Id names the conversation.
	User    *wactorv1.User
	Message *wactorv1.Message
	// Odd names the first part of the message that could not be read and was left out; empty where
	// there is none. Message.Raw has it.
	Odd string
}

// Identity reports that a user is known by other ids from now on. The user has not written: it
// opens no service window.
type Identity struct {
	Number string
	// User has the id of before as Id, and the new ones as WaId and UserId.
	User *wactorv1.User
	// Message is what the provider reported, of type system: the bot reads it like a message.
	Message *wactorv1.Message
}

// Status is one step in the life of a message that was sent to a user. Statuses come repeated and
// out of order.
type Status struct {
	Number string
	// MessageID is the provider's id of the sent message; never empty.
	MessageID string
	// Status is sent, delivered, read, played, failed, or a new word of the provider's; never
	// empty.
	Status string
	// ReplyID is the reference that the message was sent with; empty where another program sent it.
	ReplyID string
	// RecipientWaID and RecipientUserID name the recipient (of a group message: the participant);
	// both may be empty.
	RecipientWaID   string
	RecipientUserID string
	// AtMs is the provider's time in Unix milliseconds; 0 where it is missing.
	AtMs int64
	// ErrorCode is that of the first error of a failed message, and ErrorText what the provider
	// says about it, without anything that may be of a user: up to 400 bytes. 0 and empty where
	// there is none.
	ErrorCode int
	ErrorText string
	// WindowClosed: it failed since the provider takes the customer service window for closed.
	WindowClosed bool
}

// Change is news that no conversation has a part in: of the account, of a template, or of threads
// that another program answers. It is acknowledged and counted.
type Change struct {
	// Number is empty for changes of the whole account.
	Number string
	// Field is the kind of news, one of a few dozen words; the provider's own word where it is
	// known.
	Field string
	Level Level
	// News says what happened and Remedy what to do about it, for the log: never a number, a name
	// or a text of a user. Both are empty where Level is Quiet.
	News, Remedy string
	// Code is the provider's error code; 0 where there is none.
	Code int
}

// Level says how loud a change is in the log.
type Level int

const (
	// Quiet is counted alone.
	Quiet Level = iota
	// Note is worth a line.
	Note
	// Warning needs a look.
	Warning
	// Alarm: messages are or will soon be lost or not sent.
	Alarm
)

// Unread is a piece of an authentic webhook that can't be understood: it is acknowledged, kept and
// counted.
type Unread struct {
	Number string
	// Reason names the field and what is wrong with it, never a value.
	Reason string
	// Raw is the piece as it came.
	Raw []byte
}
