package emulator

import (
	"fmt"
	"strconv"
	"unicode/utf16"
)

// Message is what one user sends. It is a text unless one of Tap, Media, Location and Moved is set.
type Message struct {
	// ID is the message's id (wamid...).
	ID string
	// User is the phone (digits), UserID the BSUID (DE.1349...); one of them may be empty.
	User, UserID string
	// Name is the profile name.
	Name string
	// SentMs is the time of sending in Unix milliseconds; the webhook tells its second.
	SentMs int64
	// Text is what the user writes.
	Text string
	// Quoted is the id of a message that the user answers to; a tap has its prompt instead.
	Quoted string
	// Tap is a tap on a button or a list row.
	Tap *Tap
	// Media is a file.
	Media *Media
	// Location is a place.
	Location *Location
	// Moved says that the user has another number from now on: a system message of WhatsApp's.
	Moved *Moved
}

// Moved is a user's new phone, and the new BSUID that comes with it; either may be empty. Without a
// phone the message is one about the BSUID (user_changed_user_id).
type Moved struct{ User, UserID string }

// Tap is a tap on an option of a prompt.
type Tap struct {
	// List says that the option is a row of a list, and else a button.
	List bool
	// ID and Title are the option's; a row may have a Description.
	ID, Title, Description string
	// Prompt is the id of the message that shows the option.
	Prompt string
}

// Media is a file that a user sends.
type Media struct {
	// Type is image, video, audio, document or sticker.
	Type string
	// ID is the media id by which the bot could load it.
	ID string
	// MIMEType is that of the file, such as image/jpeg.
	MIMEType string
	// SHA256 is the file's hash in base64.
	SHA256 string
	// Caption stands below an image, a video or a document.
	Caption string
	// Filename is that of a document.
	Filename string
	// Voice marks an audio that was recorded in the chat.
	Voice bool
}

// Location is a place that a user sends, in degrees.
type Location struct {
	Latitude, Longitude float64
	Name, Address       string
}

func appendMessage(out []byte, m *Message) []byte {
	out = append(out, `{"id":`...)
	out = appendString(out, m.ID)
	out = appendMember(out, "from", m.User)
	out = appendMember(out, "from_user_id", m.UserID)
	out = append(out, `,"timestamp":"`...)
	out = append(strconv.AppendInt(out, m.SentMs/1000, 10), '"')
	out = appendContext(out, m)
	switch {
	case m.Tap != nil:
		out = appendTap(out, m.Tap)
	case m.Media != nil:
		out = appendMedia(out, m.Media)
	case m.Moved != nil:
		kind := "user_changed_number"
		if m.Moved.User == "" {
			kind = "user_changed_user_id"
		}
		out = append(out, `,"type":"system","system":{"type":"`+kind+`"`...)
		out = appendMember(out, "wa_id", m.Moved.User)
		out = append(appendMember(out, "user_id", m.Moved.UserID), '}')
	case m.Location != nil:
		out = appendLocation(out, m.Location)
	default:
		out = append(out, `,"type":"text","text":{"body":`...)
		out = append(appendString(out, m.Text), '}')
	}
	return append(out, '}')
}

func appendContext(out []byte, m *Message) []byte {
	quoted := m.Quoted
	if m.Tap != nil {
		quoted = m.Tap.Prompt
	}
	if quoted == "" {
		return out
	}
	out = append(out, `,"context":{"from":"`+displayNumber+`"`...)
	return append(appendMember(out, "id", quoted), '}')
}

func appendTap(out []byte, t *Tap) []byte {
	kind := "button_reply"
	if t.List {
		kind = "list_reply"
	}
	out = append(out, `,"type":"interactive","interactive":{"type":"`+kind+`","`+kind+`":{"id":`...)
	out = appendString(out, t.ID)
	out = appendMember(out, "title", t.Title)
	out = appendMember(out, "description", t.Description)
	return append(out, '}', '}')
}

func appendMedia(out []byte, m *Media) []byte {
	out = appendMember(out, "type", m.Type)
	out = appendString(append(out, ','), m.Type)
	out = append(out, `:{"id":`...)
	out = appendString(out, m.ID)
	out = appendMember(out, "mime_type", m.MIMEType)
	out = appendMember(out, "sha256", m.SHA256)
	out = appendMember(out, "caption", m.Caption)
	out = appendMember(out, "filename", m.Filename)
	if m.Type == "audio" {
		out = strconv.AppendBool(append(out, `,"voice":`...), m.Voice)
	}
	return append(out, '}')
}

func appendLocation(out []byte, l *Location) []byte {
	out = append(out, `,"type":"location","location":{"latitude":`...)
	out = strconv.AppendFloat(out, l.Latitude, 'f', -1, 64)
	out = append(out, `,"longitude":`...)
	out = strconv.AppendFloat(out, l.Longitude, 'f', -1, 64)
	out = appendMember(out, "name", l.Name)
	out = appendMember(out, "address", l.Address)
	return append(out, '}')
}

// appendASCII appends a character, escaped where it is not ASCII.
func appendASCII(out []byte, r rune) []byte {
	switch {
	case r < 0x80:
		return append(out, byte(r))
	case r < 0x10000:
		return fmt.Appendf(out, `\u%04x`, r)
	}
	high, low := utf16.EncodeRune(r)
	return fmt.Appendf(out, `\u%04x\u%04x`, high, low)
}
