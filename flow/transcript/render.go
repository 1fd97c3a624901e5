package transcript

import (
	"strconv"
	"strings"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Render writes a reply as a person reads it: the text, and below it, in brackets, what can be
// tapped. Ids are left out.
func Render(reply *wactorv1.Reply) string {
	switch content := reply.GetContent().(type) {
	case *wactorv1.Reply_Text:
		return content.Text
	case *wactorv1.Reply_Buttons:
		b := content.Buttons
		lines := framed(b.Header, b.Body, b.Footer)
		return join(append(lines, taps(b.Options)...))
	case *wactorv1.Reply_List:
		return renderList(content.List)
	case *wactorv1.Reply_Cta:
		c := content.Cta
		return join(append(framed(c.Header, c.Body, c.Footer), "["+c.Title+"] "+c.Url))
	case *wactorv1.Reply_Media:
		return renderMedia(content.Media)
	case *wactorv1.Reply_Location:
		return renderLocation(content.Location)
	case *wactorv1.Reply_LocationRequest:
		return join([]string{content.LocationRequest, "[Send location]"})
	}
	return "(a message of another kind)"
}

func renderList(l *wactorv1.List) string {
	lines := append(framed(l.Header, l.Body, l.Footer), "("+l.Button+")")
	for _, section := range l.Sections {
		if section.Title != "" {
			lines = append(lines, section.Title+":")
		}
		lines = append(lines, taps(section.Rows)...)
	}
	return join(lines)
}

func taps(options []*wactorv1.Option) []string {
	lines := make([]string, len(options))
	for i, o := range options {
		if lines[i] = "[" + o.Title + "]"; o.Description != "" {
			lines[i] += " " + o.Description
		}
	}
	return lines
}

// framed returns header, body and footer; the header is bold and the footer italic, in WhatsApp's
// own marks.
func framed(header *wactorv1.Header, body, footer string) []string {
	var lines []string
	switch content := header.GetContent().(type) {
	case *wactorv1.Header_Text:
		lines = append(lines, "*"+content.Text+"*")
	case *wactorv1.Header_Media:
		lines = append(lines, renderMedia(content.Media))
	}
	lines = append(lines, body)
	if footer != "" {
		lines = append(lines, "_"+footer+"_")
	}
	return lines
}

func renderMedia(m *wactorv1.Media) string {
	out := "(" + m.GetType()
	for _, part := range []string{m.GetLink(), m.GetId(), m.GetFile(), m.GetFilename()} {
		if part != "" {
			out += " " + part
		}
	}
	out += ")"
	if m.GetCaption() != "" {
		out += " " + m.GetCaption()
	}
	return out
}

func renderLocation(l *wactorv1.Location) string {
	out := "(location " + degrees(l.GetLatitude()) + " " + degrees(l.GetLongitude()) + ")"
	for _, part := range []string{l.GetName(), l.GetAddress()} {
		if part != "" {
			out += " " + part
		}
	}
	return out
}

func degrees(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func join(lines []string) string { return strings.Join(lines, "\n") }

// Options returns what can be tapped on a reply, and the type of message that a tap makes; none for
// most replies.
func Options(reply *wactorv1.Reply) (options []*wactorv1.Option, kind string) {
	if b := reply.GetButtons(); b != nil {
		return b.Options, "button_reply"
	}
	for _, section := range reply.GetList().GetSections() {
		options = append(options, section.Rows...)
	}
	return options, "list_reply"
}
