package fit

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// Noter takes what Append changed.
type Noter interface {
	// Changed takes a change, such as "a text was split". It holds nothing of a text. Usual is one
	// that loses nothing of weight: a cut, a split; otherwise something was empty, twice, or left
	// out.
	Changed(change string, usual bool)
}

// Blank stands where an empty text is not possible.
const Blank = "…"

// defaultButton opens a list that names no other text.
const defaultButton = "Options"

// Append appends a reply to others, as one or several that fit. It may change the reply. A blank
// text is left out: the way to say something only sometimes.
func Append(to []*wactorv1.Reply, reply *wactorv1.Reply, noter Noter) []*wactorv1.Reply {
	f := fitter{replies: to, reply: reply, Noter: noter}
	switch c := reply.GetContent().(type) {
	case *wactorv1.Reply_Text:
		return f.text(c)
	case *wactorv1.Reply_Buttons:
		f.buttons(c.Buttons)
	case *wactorv1.Reply_List:
		f.list(c.List)
	case *wactorv1.Reply_Cta:
		c.Cta.Body = f.body(c.Cta.Body, provider.MaxCTABody)
		c.Cta.Header, c.Cta.Footer = f.header(c.Cta.Header), f.cut(c.Cta.Footer, provider.MaxFooter, "a footer")
		c.Cta.Title = f.required(f.cut(c.Cta.Title, provider.MaxCTATitle, "a title"), "a title")
	case *wactorv1.Reply_Media:
		f.media(c.Media)
	case *wactorv1.Reply_Location:
		c.Location.Name = f.cut(c.Location.Name, provider.MaxCaption, "a name")
		c.Location.Address = f.cut(c.Location.Address, provider.MaxCaption, "an address")
	case *wactorv1.Reply_Template:
		f.template(c.Template)
	case *wactorv1.Reply_LocationRequest:
		c.LocationRequest = f.body(c.LocationRequest, provider.MaxLocationRequestBody)
	}
	return append(f.replies, f.reply)
}

// fitter makes one reply fit.
type fitter struct {
	replies []*wactorv1.Reply // those before it
	reply   *wactorv1.Reply
	Noter
}

func (f *fitter) text(c *wactorv1.Reply_Text) []*wactorv1.Reply {
	if strings.TrimSpace(c.Text) == "" {
		f.Changed("an empty text was left out", false)
		return f.replies
	}
	parts := split(c.Text, provider.MaxText)
	c.Text = parts[0]
	f.replies = append(f.replies, f.reply)
	f.say(parts[1:])
	if len(parts) > 1 {
		f.Changed("a text was split", true)
	}
	return f.replies
}

// say puts texts of their own behind what is there.
func (f *fitter) say(texts []string) {
	for _, text := range texts {
		content := &wactorv1.Reply_Text{Text: text}
		f.replies = append(f.replies, &wactorv1.Reply{Content: content, PreviewUrl: f.reply.PreviewUrl})
	}
}

func (f *fitter) sayAll(text string) { f.say(split(text, provider.MaxText)) }

// body makes the body of an interactive message. What is past its limit goes before it as texts, so
// that the buttons stay below the end.
func (f *fitter) body(body string, limit int) string {
	parts := split(f.required(body, "a body"), limit)
	f.say(parts[:len(parts)-1])
	if len(parts) > 1 {
		f.Changed("a body was split", true)
	}
	return parts[len(parts)-1]
}

func (f *fitter) required(text, what string) string {
	if strings.TrimSpace(text) != "" {
		return text
	}
	f.Changed(what+" came out empty", false)
	return Blank
}

func (f *fitter) cut(text string, limit int, what string) string {
	out := Cut(text, limit)
	if len(out) != len(text) {
		f.Changed(what+" was cut", true)
	}
	return out
}

// header makes a header; none where its text is blank.
func (f *fitter) header(header *wactorv1.Header) *wactorv1.Header {
	switch c := header.GetContent().(type) {
	case *wactorv1.Header_Text:
		if strings.TrimSpace(c.Text) == "" {
			return nil
		}
		c.Text = f.cut(c.Text, provider.MaxHeaderText, "a header")
	case *wactorv1.Header_Media:
		f.moveCaption(c.Media)
	}
	return header
}

func (f *fitter) media(m *wactorv1.Media) {
	if m.Type == "audio" || m.Type == "sticker" {
		f.moveCaption(m)
	}
	m.Caption = f.cut(m.Caption, provider.MaxCaption, "a caption")
}

// moveCaption moves a caption where none is possible into a text before.
func (f *fitter) moveCaption(m *wactorv1.Media) {
	if strings.TrimSpace(m.GetCaption()) != "" {
		f.sayAll(m.Caption)
		f.Changed("a caption was sent as a text", false)
	}
	m.Caption = ""
}

func (f *fitter) buttons(b *wactorv1.Buttons) {
	b.Options = f.unique(b.Options, nil, provider.MaxButtonID)
	if len(b.Options) > provider.MaxButtons {
		f.Changed(strconv.Itoa(len(b.Options))+" buttons were sent as a list", true)
		f.asList(b)
		return
	}
	b.Body = f.body(b.Body, provider.MaxButtonsBody)
	b.Header, b.Footer = f.header(b.Header), f.cut(b.Footer, provider.MaxFooter, "a footer")
	f.titles(b.Options, provider.MaxButtonTitle)
}

// asList sends buttons as a list. A list has no file above it: that goes before.
func (f *fitter) asList(b *wactorv1.Buttons) {
	list := &wactorv1.List{
		Body: b.Body, Button: defaultButton, Header: b.Header, Footer: b.Footer,
		Sections: []*wactorv1.Section{{Rows: b.Options}},
	}
	f.reply.Content = &wactorv1.Reply_List{List: list}
	f.list(list)
}

func (f *fitter) list(l *wactorv1.List) {
	if media := l.Header.GetMedia(); media != nil {
		f.replies = Append(f.replies, &wactorv1.Reply{Content: &wactorv1.Reply_Media{Media: media}}, f.Noter)
		f.Changed("the file above a list was sent before it", false)
		l.Header = nil
	}
	rows := 0
	for i, s := range l.Sections {
		s.Rows = f.unique(s.Rows, l.Sections[:i], provider.MaxRowID)
		rows += len(s.Rows)
	}
	if rows > provider.MaxRows {
		f.Changed(strconv.Itoa(rows)+" rows were sent as a numbered text", false)
		f.numbered(l)
		return
	}
	f.sections(l)
	l.Body = f.body(l.Body, provider.MaxListBody)
	l.Header, l.Footer = f.header(l.Header), f.cut(l.Footer, provider.MaxFooter, "a footer")
	if l.Button = f.cut(l.Button, provider.MaxListButton, "a button"); strings.TrimSpace(l.Button) == "" {
		l.Button = defaultButton
	}
}

// sections cuts what stands in sections, and leaves out those without rows.
func (f *fitter) sections(l *wactorv1.List) {
	l.Sections = slices.DeleteFunc(l.Sections, func(s *wactorv1.Section) bool { return len(s.Rows) == 0 })
	for i, s := range l.Sections {
		f.titles(s.Rows, provider.MaxRowTitle)
		for _, row := range s.Rows {
			row.Description = f.cut(row.Description, provider.MaxRowDescription, "a description")
		}
		s.Title = f.cut(s.Title, provider.MaxSectionTitle, "a title")
		if len(l.Sections) > 1 && strings.TrimSpace(s.Title) == "" {
			s.Title = strconv.Itoa(i + 1)
		}
	}
}

// numbered says more rows than a list takes as a text. What the user types then is a text to the
// bot.
func (f *fitter) numbered(l *wactorv1.List) {
	lines := []string{l.Header.GetText(), l.Body, ""}
	n := 0
	for _, s := range l.Sections {
		for _, row := range s.Rows {
			n++
			line := strconv.Itoa(n) + ". " + row.Title
			if row.Description != "" {
				line += " - " + row.Description
			}
			lines = append(lines, line)
		}
	}
	parts := split(strings.TrimSpace(strings.Join(append(lines, l.Footer), "\n")), provider.MaxText)
	f.say(parts[:len(parts)-1])
	f.reply.Content = &wactorv1.Reply_Text{Text: parts[len(parts)-1]}
}

// titles cuts the titles of options and makes them differ.
func (f *fitter) titles(options []*wactorv1.Option, limit int) {
	if fitting(options, limit) {
		return
	}
	titles := make([]string, len(options))
	for i, o := range options {
		titles[i] = o.Title
	}
	f.Changed("titles were cut", true)
	for i, title := range Titles(titles, limit) {
		options[i].Title = title
	}
}

// fitting reports whether titles are short, said and distinct, as nearly all are.
func fitting(options []*wactorv1.Option, limit int) bool {
	for i, o := range options {
		if utf8.RuneCountInString(o.Title) > limit || strings.TrimSpace(o.Title) == "" {
			return false
		}
		for _, other := range options[:i] {
			if other.Title == o.Title {
				return false
			}
		}
	}
	return true
}

// unique makes ids fit, and leaves out options whose id came already, here or in sections before: a
// tap on one would be a tap on the other.
func (f *fitter) unique(options []*wactorv1.Option, before []*wactorv1.Section, limit int) []*wactorv1.Option {
	kept := options[:0]
	for i, o := range options {
		if strings.TrimSpace(o.Id) == "" {
			o.Id = strconv.Itoa(i + 1)
			f.Changed("an id came out empty", false)
		}
		if utf8.RuneCountInString(o.Id) > limit {
			o.Id = prefix(o.Id, limit)
			f.Changed("an id was cut", false)
		}
		if hasID(kept, o.Id) || slices.ContainsFunc(before, func(s *wactorv1.Section) bool {
			return hasID(s.Rows,
				o.Id)
		}) {
			f.Changed("an option was left out: its id came twice", false)
			continue
		}
		kept = append(kept, o)
	}
	return kept
}

func hasID(options []*wactorv1.Option, id string) bool {
	for _, o := range options {
		if o.Id == id {
			return true
		}
	}
	return false
}
