package flow

import (
	"fmt"
	"strings"
	"unicode/utf8"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// frame is what buttons, lists and calls to action have in common.
type frame struct {
	at          place
	body        *template
	headerText  *template
	headerMedia *media
	footer      *template
}

func (p *checker) frame(n *node, f fields, what string, bodyLimit int, mediaAllowed bool) frame {
	p.needs(f, what, "body", "")
	return p.frameOf(n, f, "body", bodyLimit, mediaAllowed)
}

func (p *checker) frameOf(n *node, f fields, bodyKey string, bodyLimit int, mediaAllowed bool) frame {
	out := frame{at: n.at, body: p.textOf(f, bodyKey), footer: p.textOf(f, "footer")}
	p.atMost(out.body, bodyLimit, bodyKey, "say the first part of it before")
	p.atMost(out.footer, MaxFooter, "footer", "")
	header := f.get("header")
	if header == nil || header.kind != mapNode {
		out.headerText = p.textOf(f, "header")
		p.atMost(out.headerText, MaxHeaderText, "header", "")
		return out
	}
	if !mediaAllowed {
		p.report(header.at, "only a text can be the header here", "")
		return out
	}
	out.headerMedia = p.media(header, "header")
	if kind := out.headerMedia.kind; kind == "audio" || kind == "sticker" {
		p.report(header.at, kind+" cannot be a header", "image, video or document")
	}
	if out.headerMedia.caption != nil {
		p.report(out.headerMedia.caption.at, "a header cannot have a caption", "")
	}
	return out
}

func (f frame) header(r *run) (*wactorv1.Header, error) {
	if f.headerMedia != nil {
		content, err := f.headerMedia.make(r)
		return &wactorv1.Header{Content: &wactorv1.Header_Media{Media: content}}, err
	}
	title, err := r.optional(f.headerText, MaxHeaderText)
	if err != nil || strings.TrimSpace(title) == "" {
		return nil, err
	}
	return &wactorv1.Header{Content: &wactorv1.Header_Text{Text: title}}, nil
}

// parts makes header, body and footer.
func (f frame) parts(r *run, bodyLimit int) (*wactorv1.Header, string, string, error) {
	body, err := r.body(f.body, bodyLimit)
	if err != nil {
		return nil, "", "", err
	}
	header, err := f.header(r)
	if err != nil {
		return nil, "", "", err
	}
	footer, err := r.optional(f.footer, MaxFooter)
	return header, body, footer, err
}

// entryTemplate is a button or a row.
type entryTemplate struct {
	id                 *template
	title, description *template
}

// entries reads buttons or rows.
func (p *checker) entries(n *node, what string, limits entryLimits, ids, titles map[string]bool) []entryTemplate {
	if n == nil {
		return nil
	}
	if n.kind != listNode {
		p.wrongKind(n, what, "a list")
		return nil
	}
	var out []entryTemplate
	for _, item := range n.items {
		f, ok := p.fields(item, "one of "+what, limits.keys...)
		if !ok {
			continue
		}
		p.needs(f, "one of "+what, "id", "")
		p.needs(f, "one of "+what, "title", "")
		e := entryTemplate{id: p.textOf(f, "id"), title: p.textOf(f, "title"), description: p.textOf(f, "description")}
		p.atMost(e.id, limits.id, "id", "")
		p.atMost(e.title, limits.title, "title", "")
		p.atMost(e.description, MaxRowDescription, "description", "")
		p.unique(ids, e.id, "id")
		p.unique(titles, e.title, "title")
		out = append(out, e)
	}
	return out
}

// entryLimits tells buttons from rows.
type entryLimits struct {
	keys      []string
	id, title int
}

var (
	buttonLimits = entryLimits{keys: []string{"id", "title"}, id: MaxButtonID, title: MaxButtonTitle}
	rowLimits    = entryLimits{keys: []string{"id", "title", "description"}, id: MaxRowID, title: MaxRowTitle}
)

// unique reports a literal that is there twice.
func (p *checker) unique(seen map[string]bool, t *template, what string) {
	if t == nil {
		return
	}
	value, ok := t.literal()
	if !ok || value == "" {
		return
	}
	if seen[value] {
		p.report(t.at, fmt.Sprintf("two options have the same %s", what), "")
	}
	seen[value] = true
}

// options makes buttons or rows. Ids are unique over all of a message, titles within one call.
func (r *run) options(entries []entryTemplate, limits entryLimits, ids map[string]bool) ([]*wactorv1.Option, error) {
	out := make([]*wactorv1.Option, len(entries))
	titles := make(map[string]bool, len(entries))
	for i, e := range entries {
		id, err := r.required(e.id, "an id")
		if err != nil {
			return nil, err
		}
		title, err := r.title(e.title, limits.title, "a title")
		if err != nil {
			return nil, err
		}
		description, err := r.optional(e.description, MaxRowDescription)
		if err != nil {
			return nil, err
		}
		if ids[id] || titles[title] || utf8.RuneCountInString(id) > limits.id {
			return nil, r.fail(e.id.at, "an id or a title came out twice, or an id too long", nil)
		}
		ids[id], titles[title] = true, true
		out[i] = &wactorv1.Option{Id: id, Title: title, Description: description}
	}
	return out, nil
}

// buttons is a message with 1 to 3 buttons that no step waits for: message.choice.id tells which
// one was pressed.
type buttons struct {
	frame
	options []entryTemplate
}

func (p *checker) buttons(n *node) message {
	f, ok := p.fields(n, "buttons", "body", "header", "footer", "options")
	if !ok {
		return nil
	}
	p.needs(f, "buttons", "options", "")
	b := &buttons{frame: p.frame(n, f, "buttons", MaxButtonsBody, true)}
	b.options = p.entries(f.get("options"), "options", buttonLimits, map[string]bool{}, map[string]bool{})
	p.amount(f.get("options"), MaxButtons, "buttons", "use a list for up to 10 rows")
	return b
}

// amount reports a list that is empty or too long.
func (p *checker) amount(n *node, limit int, what, remedy string) {
	if n == nil || n.kind != listNode {
		return
	}
	switch count := len(n.items); {
	case count == 0:
		p.report(n.at, "no "+what, "")
	case count > limit:
		p.report(n.at, fmt.Sprintf("%d %s, at most %d", count, what, limit), remedy)
	}
}

func (b *buttons) post(r *run) error {
	header, body, footer, err := b.parts(r, MaxButtonsBody)
	if err != nil {
		return err
	}
	options, err := r.options(b.options, buttonLimits, map[string]bool{})
	if err != nil {
		return err
	}
	return r.reply(b.at, &wactorv1.Reply{Content: &wactorv1.Reply_Buttons{Buttons: &wactorv1.Buttons{
		Body: body, Options: options, Header: header, Footer: footer,
	}}})
}
