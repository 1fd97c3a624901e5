package flow

import wactorv1 "github.com/wactor/wactor/proto/wactor/v1"

// list is a message with up to 10 rows that no step waits for: message.choice.id tells which one
// was chosen.
type list struct {
	frame
	button   *template
	sections []section
}

type section struct {
	title *template
	rows  []entryTemplate
}

func (p *checker) list(n *node) message {
	f, ok := p.fields(n, "list", "body", "button", "header", "footer", "rows", "sections")
	if !ok {
		return nil
	}
	p.needs(f, "list", "button", "the text of the button that opens it")
	l := &list{frame: p.frame(n, f, "list", MaxListBody, false), button: p.textOf(f, "button")}
	p.atMost(l.button, MaxListButton, "button", "")
	if f.has("rows") == f.has("sections") {
		p.report(n.at, "list needs either rows or sections", "")
		return l
	}
	ids := map[string]bool{}
	if f.has("rows") {
		p.amount(f.get("rows"), MaxRows, "rows", "offer fewer, or use choices")
		l.sections = []section{{rows: p.entries(f.get("rows"), "rows", rowLimits, ids, map[string]bool{})}}
		return l
	}
	p.sections(l, f.get("sections"), ids)
	return l
}

func (p *checker) sections(l *list, n *node, ids map[string]bool) {
	if n.kind != listNode {
		p.wrongKind(n, "sections", "a list")
		return
	}
	rows := &node{kind: listNode, at: n.at}
	for _, item := range n.items {
		f, ok := p.fields(item, "a section", "title", "rows")
		if !ok {
			continue
		}
		p.needs(f, "a section", "rows", "")
		if len(n.items) > 1 {
			p.needs(f, "a section", "title", "needed where there are several sections")
		}
		s := section{title: p.textOf(f, "title"), rows: p.entries(f.get("rows"), "rows", rowLimits, ids,
			map[string]bool{})}
		p.atMost(s.title, MaxSectionTitle, "title", "")
		l.sections = append(l.sections, s)
		if f.has("rows") {
			p.amount(f.get("rows"), MaxRows, "rows", "")
			rows.items = append(rows.items, f.get("rows").items...)
		}
	}
	if len(n.items) != 1 { // one section's rows were counted already
		p.amount(rows, MaxRows, "rows in all sections", "offer fewer, or use choices")
	}
}

func (l *list) post(r *run) error {
	header, body, footer, err := l.parts(r, MaxListBody)
	if err != nil {
		return err
	}
	out := &wactorv1.List{Body: body, Header: header, Footer: footer}
	if out.Button, err = r.title(l.button, MaxListButton, "a button"); err != nil {
		return err
	}
	ids := map[string]bool{}
	for _, s := range l.sections {
		title, err := r.optional(s.title, MaxSectionTitle)
		if err != nil {
			return err
		}
		if title == "" && len(l.sections) > 1 {
			return r.fail(l.at, "the title of a section came out empty", nil)
		}
		rows, err := r.options(s.rows, rowLimits, ids)
		if err != nil {
			return err
		}
		out.Sections = append(out.Sections, &wactorv1.Section{Title: title, Rows: rows})
	}
	return r.reply(l.at, &wactorv1.Reply{Content: &wactorv1.Reply_List{List: out}})
}
