package message

import (
	"fmt"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// entry is a button or a row.
type entry struct {
	id                 *expr.Template
	title, description *expr.Template
}

// entries reads buttons or rows.
func readEntries(
	c *expr.Compiler, n *source.Node, what string, limits Limits, ids, titles map[string]bool,
) []entry {
	if n == nil {
		return nil
	}
	if n.Kind != source.List {
		c.WrongKind(n, what, "a list")
		return nil
	}
	var out []entry
	for _, item := range n.Items {
		f, ok := c.Fields(item, "one of "+what, limits.keys...)
		if !ok {
			continue
		}
		c.Needs(f, "one of "+what, "id", "")
		c.Needs(f, "one of "+what, "title", "")
		e := entry{id: c.TextOf(f, "id"), title: c.TextOf(f, "title"), description: c.TextOf(f, "description")}
		c.AtMost(e.id, limits.ID, "id", "")
		c.AtMost(e.title, limits.Title, "title", "")
		c.AtMost(e.description, provider.MaxRowDescription, "description", "")
		unique(c, ids, e.id, "id")
		unique(c, titles, e.title, "title")
		out = append(out, e)
	}
	return out
}

// Limits tells buttons from rows: their keys, and the lengths of ids and titles in characters.
type Limits struct {
	keys      []string
	ID, Title int
}

// What buttons and rows may be.
var (
	ButtonLimits = Limits{keys: []string{"id", "title"}, ID: provider.MaxButtonID, Title: provider.MaxButtonTitle}
	RowLimits    = Limits{keys: []string{"id", "title", "description"},
		ID: provider.MaxRowID, Title: provider.MaxRowTitle}
)

// unique reports a literal that is there twice.
func unique(c *expr.Compiler, seen map[string]bool, t *expr.Template, what string) {
	if t == nil {
		return
	}
	value, ok := t.Literal()
	if !ok || value == "" {
		return
	}
	if seen[value] {
		c.Report(t.At, fmt.Sprintf("two options have the same %s", what), "")
	}
	seen[value] = true
}

// options makes buttons or rows.
func options(r *run.Run, entries []entry) ([]*wactorv1.Option, error) {
	out := make([]*wactorv1.Option, len(entries))
	for i, e := range entries {
		o := &wactorv1.Option{}
		var err error
		if o.Id, err = r.Text(e.id); err != nil {
			return nil, err
		}
		if o.Title, err = r.Text(e.title); err != nil {
			return nil, err
		}
		if o.Description, err = r.Text(e.description); err != nil {
			return nil, err
		}
		out[i] = o
	}
	return out, nil
}
