package phone

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// sendRequest is what the page asks to send: texts, each a message of its own and all at once, or a
// tap, or an attachment.
type sendRequest struct {
	User string `json:"user"`
	Name string `json:"name"`

	Texts    []string   `json:"texts"`
	Tap      *tapped    `json:"tap"`
	Media    *mediaFile `json:"media"`
	Location *location  `json:"location"`

	// Twice sends the same webhook a second time at the same moment.
	Twice bool `json:"twice"`
}

type tapped struct {
	List        bool   `json:"list"`
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Prompt      string `json:"prompt"`
}

// mediaFile is an attachment; without data it is a sample of its kind.
type mediaFile struct {
	Type    string `json:"type"`
	Caption string `json:"caption"`

	Data     []byte `json:"data"` // base64
	MIMEType string `json:"mime_type"`
	Filename string `json:"filename"`
}

type location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name"`
	Address   string  `json:"address"`
}

// Bounds of a request of the page.
const (
	maxSend  = 128 << 10 // bytes, without the data of a file
	maxData  = 16 << 20  // bytes of a file
	maxTexts = 20
	maxName  = 100  // characters
	maxField = 1024 // characters, of ids, captions, descriptions
)

var digits = regexp.MustCompile(`^[0-9]{5,20}$`)

// mistake tells a person what is wrong with a request.
type mistake string

func (m mistake) Error() string { return string(m) }

func mistakef(format string, args ...any) error { return mistake(fmt.Sprintf(format, args...)) }

// drafts checks a request and returns its messages. An error is a mistake.
func (s *sendRequest) drafts() ([]draft, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	message := emulator.Message{User: s.User, Name: s.Name}
	var out []draft
	for _, text := range s.Texts {
		message.Text = text
		out = append(out, draft{message: message})
	}
	message.Text = ""
	var content []byte
	switch {
	case s.Tap != nil:
		t := s.Tap
		message.Tap = &emulator.Tap{List: t.List, ID: t.ID, Title: t.Title, Description: t.Description,
			Prompt: t.Prompt}
	case s.Media != nil:
		var file emulator.Media
		file, content = s.Media.attachment()
		message.Media = &file
	case s.Location != nil:
		message.Location = (*emulator.Location)(s.Location)
	default:
		return out, nil
	}
	return append(out, draft{message, content}), nil
}

func (s *sendRequest) check() error {
	kinds := 0
	for _, present := range []bool{len(s.Texts) > 0, s.Tap != nil, s.Media != nil, s.Location != nil} {
		if present {
			kinds++
		}
	}
	switch {
	case !digits.MatchString(s.User):
		return mistakef("the user's number must have 5 to 20 digits")
	case kinds != 1:
		return mistakef("one of texts, tap, media and location is to be sent")
	case len(s.Texts) > maxTexts:
		return mistakef("more than %d messages at once", maxTexts)
	case isLonger(s.Name, maxName):
		return mistakef("the name is longer than %d characters", maxName)
	}
	for _, text := range s.Texts {
		if strings.TrimSpace(text) == "" || isLonger(text, provider.MaxText) {
			return mistakef("a message has 1 to %d characters", provider.MaxText)
		}
	}
	return s.checkParts()
}

func (s *sendRequest) checkParts() error {
	if t := s.Tap; t != nil && (t.ID == "" || t.Prompt == "" || isLonger(t.ID+t.Title+t.Description+t.Prompt,
		4*maxField)) {
		return mistakef("a tap needs the id of its option and of its message")
	}
	if m := s.Media; m != nil {
		chosen, known := samples[m.Type]
		if !known || isLonger(m.Caption+m.Filename+m.MIMEType, maxField) || chosen.content == nil && len(m.Data) == 0 {
			return mistakef("an attachment is an image, a document, an audio or a video, "+
				"with a caption of at most %d characters", maxField)
		}
		if len(m.Data) > maxData {
			return mistakef("a file has at most %d bytes", maxData)
		}
	}
	if l := s.Location; l != nil && (max(l.Latitude, -l.Latitude) > 90 || max(l.Longitude, -l.Longitude) > 180 ||
		isLonger(l.Name+l.Address, maxField)) {
		return mistakef("a location is a latitude within 90 and a longitude within 180 degrees")
	}
	return nil
}

func isLonger(text string, characters int) bool { return utf8.RuneCountInString(text) > characters }

// draft is a message that the person sends, with the content of its file.
type draft struct {
	message emulator.Message
	file    []byte
}

// content is the message, without its id, in the form of the Graph API, so that the page draws both
// directions alike.
func (d draft) content() json.RawMessage {
	m := d.message
	out := map[string]any{"type": "text"}
	switch {
	case m.Tap != nil:
		out["text"], out["context"] = map[string]string{"body": m.Tap.Title},
			map[string]string{"message_id": m.Tap.Prompt}
	case m.Media != nil:
		out["type"] = m.Media.Type
		out[m.Media.Type] = map[string]any{"caption": m.Media.Caption, "filename": m.Media.Filename,
			"voice": m.Media.Voice, "id": m.Media.ID}
	case m.Location != nil:
		out["type"] = "location"
		out["location"] = location(*m.Location)
	default:
		out["text"] = map[string]string{"body": m.Text}
	}
	body, _ := json.Marshal(out) // texts and finite numbers can always be marshalled
	return body
}
