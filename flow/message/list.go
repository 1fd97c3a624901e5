package message

import (
	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// list is a message with up to 10 rows that no step waits for: message.choice.id tells which one
// was chosen.
type list struct {
	Frame
	button   *expr.Template
	sections []section
}

type section struct {
	title *expr.Template
	rows  []entry
}

func readList(c *expr.Compiler, n *source.Node) Message {
	f, ok := c.Fields(n, "list", "body", "button", "header", "footer", "rows", "sections")
	if !ok {
		return nil
	}
	c.Needs(f, "list", "button", "the text of the button that opens it")
	l := &list{Frame: readFrame(c, n, f, "list", provider.MaxListBody, false), button: c.TextOf(f, "button")}
	c.AtMost(l.button, provider.MaxListButton, "button", "")
	if f.Has("rows") == f.Has("sections") {
		c.Report(n.At, "list needs either rows or sections", "")
		return l
	}
	ids := map[string]bool{}
	if f.Has("rows") {
		c.Amount(f.Get("rows"), provider.MaxRows, "rows", "offer fewer, or use choices")
		l.sections = []section{{rows: readEntries(c, f.Get("rows"), "rows", RowLimits, ids, map[string]bool{})}}
		return l
	}
	readSections(c, l, f.Get("sections"), ids)
	return l
}

func readSections(c *expr.Compiler, l *list, n *source.Node, ids map[string]bool) {
	if n.Kind != source.List {
		c.WrongKind(n, "sections", "a list")
		return
	}
	rows := &source.Node{Kind: source.List, At: n.At}
	for _, item := range n.Items {
		f, ok := c.Fields(item, "a section", "title", "rows")
		if !ok {
			continue
		}
		c.Needs(f, "a section", "rows", "")
		if len(n.Items) > 1 {
			c.Needs(f, "a section", "title", "needed where there are several sections")
		}
		s := section{title: c.TextOf(f, "title"), rows: readEntries(c, f.Get("rows"), "rows", RowLimits, ids,
			map[string]bool{})}
		c.AtMost(s.title, provider.MaxSectionTitle, "title", "")
		l.sections = append(l.sections, s)
		if f.Has("rows") {
			c.Amount(f.Get("rows"), provider.MaxRows, "rows", "")
			rows.Items = append(rows.Items, f.Get("rows").Items...)
		}
	}
	if len(n.Items) != 1 { // one section's rows were counted already
		c.Amount(rows, provider.MaxRows, "rows in all sections", "offer fewer, or use choices")
	}
}

func (l *list) Post(r *run.Run) error {
	header, body, footer, err := l.Parts(r)
	if err != nil {
		return err
	}
	out := &wactorv1.List{Body: body, Header: header, Footer: footer}
	if out.Button, err = r.Text(l.button); err != nil {
		return err
	}
	for _, s := range l.sections {
		title, err := r.Text(s.title)
		if err != nil {
			return err
		}
		rows, err := options(r, s.rows)
		if err != nil {
			return err
		}
		out.Sections = append(out.Sections, &wactorv1.Section{Title: title, Rows: rows})
	}
	return r.Reply(l.At, &wactorv1.Reply{Content: &wactorv1.Reply_List{List: out}})
}
