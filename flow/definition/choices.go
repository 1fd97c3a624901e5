package definition

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/fit"
	"github.com/wactor/wactor/flow/message"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// choices offers options and waits for one: buttons up to 3, a list up to 10, a numbered text
// above.
type choices struct {
	repeat
	message.Frame
	limits  message.Limits
	button  *expr.Template
	options []option
	save    string
	all     map[string]bool // options of the whole flow
}

// option is one of choices.
type option struct {
	id                 string
	title, description *expr.Template
	value              any
	to                 *Target
}

var (
	choicesKeys = []string{"text", "options", "save", "goto", "error", "retries", "on_fail", "button", "header",
		"footer"}
	optionKeys = []string{"title", "id", "description", "value", "goto"}
)

// maxOptions is how many options a choice may have; past WhatsApp's ten rows they are a numbered
// text.
const maxOptions = 50

func readChoices(p *parser, s *Step, n *source.Node) Part {
	f, ok := p.Fields(n, "choices", choicesKeys...)
	if !ok {
		return nil
	}
	p.Needs(f, "choices", "text", "")
	p.Needs(f, "choices", "options", "")
	c := &choices{repeat: readRepeat(p, f, "choices"), button: p.TextOf(f, "button"),
		save: p.variable(f.Get("save"), "save"), all: p.options}
	c.parseOptions(p, s, f)
	c.Frame = message.ReadFrame(p.Compiler, n, f, "text", c.bodyLimit(), len(c.options) <= provider.MaxButtons)
	p.AtMost(c.button, provider.MaxListButton, "button", "")
	if f.Has("button") && (len(c.options) <= provider.MaxButtons || len(c.options) > provider.MaxRows) {
		p.Report(f.Place("button"), "button is for 4 to 10 options, which are shown as a list", "leave it out")
	}
	if len(c.options) > provider.MaxRows {
		for _, key := range []string{"header", "footer"} {
			if f.Has(key) {
				p.Report(f.Place(key), "more than 10 options are shown as a text, which has no "+key,
					"leave it out")
			}
		}
	}
	return c
}

// limitsOf returns the limits of options, which depend on how so many of them are shown.
func limitsOf(count int) message.Limits {
	switch {
	case count <= provider.MaxButtons:
		return message.ButtonLimits
	case count <= provider.MaxRows:
		return message.RowLimits
	}
	return message.Limits{ID: provider.MaxRowID, Title: maxNumberedTitle}
}

// maxNumberedTitle bounds a title in a numbered text, where WhatsApp has no limit of its own.
const maxNumberedTitle = 100

func (c *choices) bodyLimit() int {
	if len(c.options) <= provider.MaxButtons {
		return provider.MaxButtonsBody
	}
	return provider.MaxListBody
}

func (c *choices) parseOptions(p *parser, s *Step, f source.Fields) {
	n := f.Get("options")
	to := p.target(f.Get("goto"), "goto")
	if n == nil {
		return
	}
	if n.Kind != source.List {
		p.WrongKind(n, "options", "a list")
		return
	}
	p.Amount(n, maxOptions, "options", "")
	c.limits = limitsOf(len(n.Items))
	ids, titles := map[string]bool{}, map[string]bool{}
	for i, item := range n.Items {
		o, ok := readOption(p, s, item, i, to, c.limits)
		if !ok {
			continue
		}
		uniqueOption(p, ids, titles, o, item)
		c.options = append(c.options, o)
	}
}

func readOption(p *parser, s *Step, n *source.Node, i int, to *Target, limits message.Limits) (option, bool) {
	o := option{id: fmt.Sprintf("%s:%d", s.Name, i+1), to: to}
	f := source.Fields{At: n.At}
	if n.Kind == source.Scalar {
		o.title = p.Template(n, "an option")
		p.Some(o.title, "title")
	} else {
		var ok bool
		if f, ok = p.Fields(n, "an option", optionKeys...); !ok {
			return o, false
		}
		p.Needs(f, "an option", "title", "")
		o.title, o.description = p.TextOf(f, "title"), p.TextOf(f, "description")
	}
	readOptionID(p, &o, f, limits)
	if v := f.Get("value"); v != nil {
		o.value = p.Literal(v)
	}
	if f.Has("goto") {
		o.to = p.target(f.Get("goto"), "goto")
	} else if to == nil {
		p.Report(n.At, "an option leads nowhere", "give it a goto, or choices one for all")
	}
	p.AtMost(o.title, limits.Title, "title", "")
	p.AtMost(o.description, provider.MaxRowDescription, "description", "")
	if o.description != nil && limits.Title == provider.MaxButtonTitle {
		p.Report(o.description.At, "up to 3 options are buttons, which have no description",
			"leave it out, or say it in the text")
	}
	return o, o.title != nil
}

// optionID reads the id. Left out, it names the step, so that a tap on an old button differs from
// an answer.
func readOptionID(p *parser, o *option, f source.Fields, limits message.Limits) {
	if n := f.Get("id"); n != nil {
		o.id = p.Word(n, "id")
		if count := utf8.RuneCountInString(o.id); count > limits.ID {
			p.Report(n.At, fmt.Sprintf("id has %d characters, at most %d", count, limits.ID), "")
		}
		if o.value == nil {
			o.value = o.id
		}
	}
	p.options[o.id] = true
}

func uniqueOption(p *parser, ids, titles map[string]bool, o option, n *source.Node) {
	if ids[o.id] {
		p.Report(n.At, "two options have the same id", "")
	}
	ids[o.id] = true
	if title, ok := o.title.Literal(); ok {
		if titles[Fold(title)] {
			p.Report(o.title.At, "two options have the same title", "")
		}
		titles[Fold(title)] = true
	}
}

// Run implements Part.
func (c *choices) Run(r *run.Run) (*Step, error) {
	return nil, again(r, c.Put, 0)
}

// Ways implements Part.
func (c *choices) Ways() []Way {
	all := make([]Way, 0, len(c.options)+1)
	for _, o := range c.options {
		all = append(all, Way{Label: o.title.Text(), To: o.to})
	}
	return append(all, Way{Label: onFail, To: c.onFail})
}

// Put implements Question.
func (c *choices) Put(r *run.Run) error { return c.show(r, c.Frame) }

// show offers the options below a body.
func (c *choices) show(r *run.Run, f message.Frame) error {
	titles, err := c.titles(r)
	if err != nil {
		return err
	}
	if len(c.options) > provider.MaxRows {
		return c.showNumbers(r, f, fit.Titles(titles, maxNumberedTitle))
	}
	header, body, footer, err := f.Parts(r)
	if err != nil {
		return err
	}
	options := make([]*wactorv1.Option, len(c.options))
	for i, o := range c.options {
		options[i] = &wactorv1.Option{Id: o.id, Title: titles[i]}
		if options[i].Description, err = r.Text(o.description); err != nil {
			return err
		}
	}
	if len(options) <= provider.MaxButtons {
		return r.Reply(c.At, &wactorv1.Reply{Content: &wactorv1.Reply_Buttons{Buttons: &wactorv1.Buttons{
			Body: body, Options: options, Header: header, Footer: footer,
		}}})
	}
	button, err := r.Text(c.button)
	if err != nil {
		return err
	}
	return r.Reply(c.At, &wactorv1.Reply{Content: &wactorv1.Reply_List{List: &wactorv1.List{
		Body: body, Button: button, Sections: []*wactorv1.Section{{Rows: options}}, Header: header, Footer: footer,
	}}})
}

// titles makes the titles in full.
func (c *choices) titles(r *run.Run) ([]string, error) {
	titles := make([]string, len(c.options))
	for i, o := range c.options {
		var err error
		if titles[i], err = r.Text(o.title); err != nil {
			return nil, err
		}
	}
	return titles, nil
}

func (c *choices) showNumbers(r *run.Run, f message.Frame, titles []string) error {
	body, err := r.Text(f.Body)
	if err != nil {
		return err
	}
	var out strings.Builder
	out.WriteString(body)
	out.WriteByte('\n')
	for i, title := range titles {
		fmt.Fprintf(&out, "\n%d. %s", i+1, title)
		description, err := r.Text(c.options[i].description)
		if err != nil {
			return err
		}
		if description != "" {
			out.WriteString(" - " + fit.Cut(description, provider.MaxRowDescription))
		}
	}
	return r.Say(c.At, out.String(), false)
}
