package emulator

import (
	"bytes"
	"encoding/json"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider/cloudapi"
)

// content is what a message other than a text holds, as far as it has limits.
type content struct {
	Interactive *interactive       `json:"interactive"`
	Location    *place             `json:"location"`
	Reaction    *wactorv1.Reaction `json:"reaction"`
	Template    *struct {
		Name     string `json:"name"`
		Language struct {
			Code string `json:"code"`
		} `json:"language"`
	} `json:"template"`
}

// place is a location; the provider's own examples write degrees as strings.
type place struct {
	Latitude  degrees `json:"latitude"`
	Longitude degrees `json:"longitude"`
}

type degrees float64

// UnmarshalJSON reads a number, or a string that holds one.
func (d *degrees) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(bytes.Trim(text, `"`), (*float64)(d))
}

type interactive struct {
	Type   string  `json:"type"`
	Header *header `json:"header"`
	Body   line    `json:"body"`
	Footer line    `json:"footer"`
	Action struct {
		Button  string `json:"button"`
		Buttons []struct {
			Reply *wactorv1.Option `json:"reply"`
		} `json:"buttons"`
		Sections   []*wactorv1.Section `json:"sections"`
		Parameters struct {
			DisplayText string `json:"display_text"`
			URL         string `json:"url"`
		} `json:"parameters"`
	} `json:"action"`
}

type line struct {
	Text string `json:"text"`
}

type header struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Image    *file  `json:"image"`
	Video    *file  `json:"video"`
	Document *file  `json:"document"`
}

type file struct {
	ID      string `json:"id"`
	Link    string `json:"link"`
	Caption string `json:"caption"`
}

// checkContent checks a message of any type but text. What has no limits that are known here is
// asked for its object alone.
func checkContent(kind string, body []byte) *refusal {
	var objects map[string]json.RawMessage
	var c content
	if json.Unmarshal(body, &objects) != nil || len(objects[kind]) == 0 {
		return missing(kind)
	}
	if json.Unmarshal(body, &c) != nil {
		return invalid("A parameter of %s is of the wrong type.", kind)
	}
	reply, refused := c.reply(kind, objects[kind])
	if refused != nil || reply == nil {
		return refused
	}
	if err := cloudapi.Check(reply); err != nil {
		return beyond(err.Error())
	}
	return nil
}

// reply puts a message in the words of cloudapi.Check; nil where it knows none for it.
func (c *content) reply(kind string, object json.RawMessage) (*wactorv1.Reply, *refusal) {
	switch {
	case kind == "image" || kind == "video" || kind == "audio" || kind == "document" || kind == "sticker":
		var f file
		if json.Unmarshal(object, &f) != nil {
			return nil, invalid("A parameter of %s is of the wrong type.", kind)
		}
		return &wactorv1.Reply{Content: &wactorv1.Reply_Media{Media: f.media(kind)}}, nil
	case kind == "location" && c.Location != nil:
		location := &wactorv1.Location{Latitude: float64(c.Location.Latitude), Longitude: float64(c.Location.Longitude)}
		return &wactorv1.Reply{Content: &wactorv1.Reply_Location{Location: location}}, nil
	case kind == "reaction" && c.Reaction != nil:
		return &wactorv1.Reply{Content: &wactorv1.Reply_Reaction{Reaction: c.Reaction}}, nil
	case kind == "template" && c.Template != nil:
		template := &wactorv1.Template{Name: c.Template.Name, Language: c.Template.Language.Code}
		return &wactorv1.Reply{Content: &wactorv1.Reply_Template{Template: template}}, nil
	case kind == "interactive" && c.Interactive != nil:
		return c.Interactive.reply(), nil
	case kind == "contacts":
		return nil, nil
	}
	return nil, invalid("The parameter type is none that is known, or its object is null.")
}

func (i *interactive) reply() *wactorv1.Reply {
	switch i.Type {
	case "button":
		buttons := &wactorv1.Buttons{Body: i.Body.Text, Header: i.Header.words(), Footer: i.Footer.Text}
		for _, b := range i.Action.Buttons {
			buttons.Options = append(buttons.Options, b.Reply)
		}
		return &wactorv1.Reply{Content: &wactorv1.Reply_Buttons{Buttons: buttons}}
	case "list":
		return &wactorv1.Reply{Content: &wactorv1.Reply_List{List: &wactorv1.List{
			Body: i.Body.Text, Button: i.Action.Button, Sections: i.Action.Sections, Header: i.Header.words(),
			Footer: i.Footer.Text,
		}}}
	case "cta_url":
		return &wactorv1.Reply{Content: &wactorv1.Reply_Cta{Cta: &wactorv1.CallToAction{
			Body: i.Body.Text, Title: i.Action.Parameters.DisplayText, Url: i.Action.Parameters.URL,
			Header: i.Header.words(), Footer: i.Footer.Text,
		}}}
	case "location_request_message":
		return &wactorv1.Reply{Content: &wactorv1.Reply_LocationRequest{LocationRequest: i.Body.Text}}
	}
	return nil
}

// words says what stands above the body; nil where there is no header.
func (h *header) words() *wactorv1.Header {
	if h == nil {
		return nil
	}
	for kind, f := range map[string]*file{"image": h.Image, "video": h.Video, "document": h.Document} {
		if kind == h.Type && f != nil {
			return &wactorv1.Header{Content: &wactorv1.Header_Media{Media: f.media(kind)}}
		}
	}
	return &wactorv1.Header{Content: &wactorv1.Header_Text{Text: h.Text}}
}

func (f *file) media(kind string) *wactorv1.Media {
	return &wactorv1.Media{Type: kind, Id: f.ID, Link: f.Link, Caption: f.Caption}
}
