package cloudapi

import wactorv1 "github.com/wactor/wactor/proto/wactor/v1"

// The objects of the provider's messages, as "Messages" of the Cloud API reference names them.

type textContent struct {
	Body       string `json:"body"`
	PreviewURL bool   `json:"preview_url,omitempty"`
}

type mediaContent struct {
	ID       string `json:"id,omitempty"`
	Link     string `json:"link,omitempty"`
	Caption  string `json:"caption,omitempty"`
	Filename string `json:"filename,omitempty"`
}

// newMedia leaves out what WhatsApp does not take for this kind of file: only a document has a file
// name.
func newMedia(media *wactorv1.Media) *mediaContent {
	content := &mediaContent{ID: media.GetId(), Link: media.GetLink(), Caption: media.GetCaption()}
	if media.GetType() == "document" {
		content.Filename = media.GetFilename()
	}
	return content
}

type locationContent struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"`
}

func newLocation(l *wactorv1.Location) *locationContent {
	return &locationContent{Latitude: l.GetLatitude(), Longitude: l.GetLongitude(), Name: l.GetName(),
		Address: l.GetAddress()}
}

type templateContent struct {
	Name       string           `json:"name"`
	Language   languageContent  `json:"language"`
	Components []map[string]any `json:"components,omitempty"`
}

type languageContent struct {
	Code string `json:"code"`
}

func newTemplate(template *wactorv1.Template) *templateContent {
	content := &templateContent{Name: template.GetName(), Language: languageContent{Code: template.GetLanguage()}}
	for _, component := range template.GetComponents() {
		content.Components = append(content.Components, component.AsMap())
	}
	return content
}

// reactionContent always carries its emoji: the empty one removes the reaction.
type reactionContent struct {
	MessageID string `json:"message_id"`
	Emoji     string `json:"emoji"`
}

type interactiveContent struct {
	Type   string         `json:"type"`
	Header *headerContent `json:"header,omitempty"`
	Body   lineContent    `json:"body"`
	Footer *lineContent   `json:"footer,omitempty"`
	Action actionContent  `json:"action"`
}

type lineContent struct {
	Text string `json:"text"`
}

type headerContent struct {
	Type     string        `json:"type"`
	Text     string        `json:"text,omitempty"`
	Image    *mediaContent `json:"image,omitempty"`
	Video    *mediaContent `json:"video,omitempty"`
	Document *mediaContent `json:"document,omitempty"`
}

type actionContent struct {
	Name       string           `json:"name,omitempty"`
	Button     string           `json:"button,omitempty"`
	Buttons    []buttonContent  `json:"buttons,omitempty"`
	Sections   []sectionContent `json:"sections,omitempty"`
	Parameters *linkContent     `json:"parameters,omitempty"`
}

type buttonContent struct {
	Type  string        `json:"type"`
	Reply choiceContent `json:"reply"`
}

type sectionContent struct {
	Title string          `json:"title,omitempty"`
	Rows  []choiceContent `json:"rows"`
}

type choiceContent struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

type linkContent struct {
	DisplayText string `json:"display_text"`
	URL         string `json:"url"`
}

// buttonsContent leaves descriptions out: a button shows none.
func buttonsContent(buttons *wactorv1.Buttons) *interactiveContent {
	content := newInteractive("button", buttons.GetBody(), buttons.GetHeader(), buttons.GetFooter())
	for _, option := range buttons.GetOptions() {
		content.Action.Buttons = append(content.Action.Buttons, buttonContent{
			Type: "reply", Reply: choiceContent{ID: option.GetId(), Title: option.GetTitle()},
		})
	}
	return content
}

func listContent(list *wactorv1.List) *interactiveContent {
	content := newInteractive("list", list.GetBody(), list.GetHeader(), list.GetFooter())
	content.Action.Button = list.GetButton()
	for _, section := range list.GetSections() {
		rows := make([]choiceContent, 0, len(section.GetRows()))
		for _, row := range section.GetRows() {
			rows = append(rows, choiceContent{ID: row.GetId(), Title: row.GetTitle(),
				Description: row.GetDescription()})
		}
		content.Action.Sections = append(content.Action.Sections, sectionContent{Title: section.GetTitle(), Rows: rows})
	}
	return content
}

func ctaContent(cta *wactorv1.CallToAction) *interactiveContent {
	content := newInteractive("cta_url", cta.GetBody(), cta.GetHeader(), cta.GetFooter())
	content.Action.Name = "cta_url"
	content.Action.Parameters = &linkContent{DisplayText: cta.GetTitle(), URL: cta.GetUrl()}
	return content
}

func locationRequestContent(body string) *interactiveContent {
	content := newInteractive("location_request_message", body, nil, "")
	content.Action.Name = "send_location"
	return content
}

func newInteractive(kind, body string, header *wactorv1.Header, footer string) *interactiveContent {
	content := &interactiveContent{Type: kind, Body: lineContent{body}, Header: newHeader(header)}
	if footer != "" {
		content.Footer = &lineContent{footer}
	}
	return content
}

func newHeader(header *wactorv1.Header) *headerContent {
	if text := header.GetText(); text != "" {
		return &headerContent{Type: "text", Text: text}
	}
	media := header.GetMedia()
	content := &headerContent{Type: media.GetType()}
	switch content.Type {
	case "image":
		content.Image = newMedia(media)
	case "video":
		content.Video = newMedia(media)
	case "document":
		content.Document = newMedia(media)
	default:
		return nil
	}
	return content
}
