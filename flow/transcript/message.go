package transcript

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Phone remembers what was offered to a user, to make messages of what the user types: a line in
// brackets is something other than a text.
//
//	[tap Coffee]           the button or row with this title or id, the one that was shown last
//	[tap id=old:1]         an option that was never shown
//	[image a caption]      also video, audio, document, sticker
//	[location 52.5 13.4]
//	[reaction 👍]          [reaction removed] takes it back
//	[contacts]             any other type of message, such as system
//
// The zero Phone has been shown nothing.
type Phone struct {
	offered []offer
	sent    int
}

type offer struct {
	option *wactorv1.Option
	kind   string
}

// ErrInput is a line that makes no message.
var ErrInput = errors.New("transcript: not a message")

// Show takes a reply of the bot.
func (p *Phone) Show(reply *wactorv1.Reply) {
	options, kind := Options(reply)
	for _, option := range options {
		p.offered = append(p.offered, offer{option: option, kind: kind})
	}
}

// Message makes a message of a line; its id is unique on this phone.
func (p *Phone) Message(line string) (*wactorv1.Message, error) {
	m, err := p.compose(line)
	if err != nil {
		return nil, err
	}
	p.sent++
	m.Id = "wamid." + strconv.Itoa(p.sent)
	return m, nil
}

func (p *Phone) compose(line string) (*wactorv1.Message, error) {
	inside, opened := strings.CutPrefix(line, "[")
	inside, closed := strings.CutSuffix(inside, "]")
	if !opened || !closed {
		return &wactorv1.Message{Type: "text", Text: line}, nil
	}
	kind, rest, _ := strings.Cut(inside, " ")
	switch kind {
	case "tap":
		return p.tap(rest)
	case "location":
		return pin(rest)
	case "image", "video", "audio", "document", "sticker":
		media := &wactorv1.Media{Type: kind, Id: "media-1", Caption: rest}
		return &wactorv1.Message{Type: kind, Text: rest, Media: media}, nil
	case "reaction":
		return &wactorv1.Message{Type: kind, Text: emoji(rest)}, nil
	case "":
		return nil, fmt.Errorf("%w: nothing in the brackets", ErrInput)
	}
	return &wactorv1.Message{Type: kind, Text: rest}, nil
}

func (p *Phone) tap(what string) (*wactorv1.Message, error) {
	if id, ok := strings.CutPrefix(what, "id="); ok {
		return tapOn(&wactorv1.Option{Id: id, Title: id}, "button_reply"), nil
	}
	for _, offer := range slices.Backward(p.offered) {
		if offer.option.Title == what || offer.option.Id == what {
			return tapOn(offer.option, offer.kind), nil
		}
	}
	return nil, fmt.Errorf("%w: nothing with the title or id %q was shown", ErrInput, what)
}

func tapOn(o *wactorv1.Option, kind string) *wactorv1.Message {
	choice := &wactorv1.Choice{Id: o.Id, Title: o.Title, Description: o.Description}
	return &wactorv1.Message{Type: kind, Text: o.Title, Choice: choice}
}

// emoji returns the text of a reaction: none where it is taken back.
func emoji(rest string) string {
	switch rest {
	case "":
		return "👍"
	case "removed":
		return ""
	}
	return rest
}

func pin(text string) (*wactorv1.Message, error) {
	latitude, longitude, _ := strings.Cut(text, " ")
	north, errNorth := strconv.ParseFloat(latitude, 64)
	east, errEast := strconv.ParseFloat(strings.TrimSpace(longitude), 64)
	if errNorth != nil || errEast != nil {
		return nil, fmt.Errorf("%w: a location is [location 52.5 13.4]", ErrInput)
	}
	return &wactorv1.Message{Type: "location", Location: &wactorv1.Location{Latitude: north, Longitude: east}}, nil
}
