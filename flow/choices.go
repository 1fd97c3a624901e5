package flow

import (
	"fmt"
	"strings"
	"unicode/utf8"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// choices offers options and waits for one: buttons up to 3, a list up to 10, a numbered text
// above.
type choices struct {
	repeat
	frame
	limits  entryLimits
	button  *template
	options []option
	save    string
}

// option is one of choices.
type option struct {
	id                 string
	title, description *template
	value              any
	to                 *target
}

var (
	choicesKeys = []string{"text", "options", "save", "goto", "error", "retries", "on_fail", "button", "header",
		"footer"}
	optionKeys = []string{"title", "id", "description", "value", "goto"}
)

// defaultButton opens a list whose step names no other text.
const defaultButton = "Options"

func (p *checker) choices(s *step, n *node) exit {
	f, ok := p.fields(n, "choices", choicesKeys...)
	if !ok {
		return nil
	}
	p.needs(f, "choices", "text", "")
	p.needs(f, "choices", "options", "")
	c := &choices{repeat: p.repeat(f, "choices"), button: p.textOf(f, "button"), save: p.variable(f.get("save"),
		"save")}
	c.parseOptions(p, s, f)
	c.frame = p.frameOf(n, f, "text", c.bodyLimit(), len(c.options) <= MaxButtons)
	p.atMost(c.button, MaxListButton, "button", "")
	if f.has("button") && (len(c.options) <= MaxButtons || len(c.options) > MaxRows) {
		p.report(f.values["button"].at, "button is for 4 to 10 options, which are shown as a list", "leave it out")
	}
	if len(c.options) > MaxRows {
		for _, key := range []string{"header", "footer"} {
			if f.has(key) {
				p.report(f.values[key].at, "more than 10 options are shown as a text, which has no "+key,
					"leave it out")
			}
		}
	}
	return c
}

// limitsOf returns the limits of options, which depend on how so many of them are shown.
func limitsOf(count int) entryLimits {
	switch {
	case count <= MaxButtons:
		return buttonLimits
	case count <= MaxRows:
		return rowLimits
	}
	return entryLimits{id: MaxRowID, title: maxNumberedTitle}
}

// maxNumberedTitle bounds a title in a numbered text, where WhatsApp has no limit of its own.
const maxNumberedTitle = 100

func (c *choices) bodyLimit() int {
	if len(c.options) <= MaxButtons {
		return MaxButtonsBody
	}
	return MaxListBody
}

func (c *choices) parseOptions(p *checker, s *step, f fields) {
	n := f.get("options")
	to := p.target(f.get("goto"), "goto")
	if n == nil {
		return
	}
	if n.kind != listNode {
		p.wrongKind(n, "options", "a list")
		return
	}
	p.amount(n, MaxOptions, "options", "")
	c.limits = limitsOf(len(n.items))
	ids, titles := map[string]bool{}, map[string]bool{}
	for i, item := range n.items {
		o, ok := p.option(s, item, i, to, c.limits)
		if !ok {
			continue
		}
		p.uniqueOption(ids, titles, o, item)
		c.options = append(c.options, o)
	}
}

func (p *checker) option(s *step, n *node, i int, to *target, limits entryLimits) (option, bool) {
	o := option{id: fmt.Sprintf("%s:%d", s.name, i+1), to: to}
	f := fields{at: n.at}
	if n.kind == scalarNode {
		o.title = p.template(n, "an option")
		p.some(o.title, "title")
	} else {
		var ok bool
		if f, ok = p.fields(n, "an option", optionKeys...); !ok {
			return o, false
		}
		p.needs(f, "an option", "title", "")
		o.title, o.description = p.textOf(f, "title"), p.textOf(f, "description")
	}
	p.optionID(&o, f, limits)
	if v := f.get("value"); v != nil {
		o.value = p.literal(v)
	}
	if f.has("goto") {
		o.to = p.target(f.get("goto"), "goto")
	} else if to == nil {
		p.report(n.at, "an option leads nowhere", "give it a goto, or choices one for all")
	}
	p.atMost(o.title, limits.title, "title", "")
	p.atMost(o.description, MaxRowDescription, "description", "")
	if o.description != nil && limits.title == MaxButtonTitle {
		p.report(o.description.at, "up to 3 options are buttons, which have no description",
			"leave it out, or say it in the text")
	}
	return o, o.title != nil
}

// optionID reads the id. Left out, it names the step, so that a tap on an old button is told from
// an answer.
func (p *checker) optionID(o *option, f fields, limits entryLimits) {
	if n := f.get("id"); n != nil {
		o.id = p.word(n, "id")
		if count := utf8.RuneCountInString(o.id); count > limits.id {
			p.report(n.at, fmt.Sprintf("id has %d characters, at most %d", count, limits.id), "")
		}
		if o.value == nil {
			o.value = o.id
		}
	}
	p.options[o.id] = true
}

func (p *checker) uniqueOption(ids, titles map[string]bool, o option, n *node) {
	if ids[o.id] {
		p.report(n.at, "two options have the same id", "")
	}
	ids[o.id] = true
	if title, ok := o.title.literal(); ok {
		if titles[fold(title)] {
			p.report(o.title.at, "two options have the same title", "")
		}
		titles[fold(title)] = true
	}
}

func (c *choices) leave(r *run) (*step, error) {
	s := r.step
	if err := c.put(r); err != nil {
		return nil, err
	}
	r.stopAt(position{step: s, asked: true})
	return nil, nil
}

func (c *choices) goesOn() ([]*target, bool) { return nil, false }

func (c *choices) put(r *run) error { return c.show(r, c.frame) }

// show offers the options below a body.
func (c *choices) show(r *run, f frame) error {
	titles, err := c.titles(r)
	if err != nil {
		return err
	}
	if len(c.options) > MaxRows {
		return c.showNumbers(r, f, titles)
	}
	header, body, footer, err := f.parts(r, c.bodyLimit())
	if err != nil {
		return err
	}
	options := make([]*wactorv1.Option, len(c.options))
	for i, o := range c.options {
		options[i] = &wactorv1.Option{Id: o.id, Title: titles[i]}
		if options[i].Description, err = r.optional(o.description, MaxRowDescription); err != nil {
			return err
		}
	}
	if len(options) <= MaxButtons {
		return r.reply(c.at, &wactorv1.Reply{Content: &wactorv1.Reply_Buttons{Buttons: &wactorv1.Buttons{
			Body: body, Options: options, Header: header, Footer: footer,
		}}})
	}
	button := defaultButton
	if c.button != nil {
		if button, err = r.title(c.button, MaxListButton, "a button"); err != nil {
			return err
		}
	}
	return r.reply(c.at, &wactorv1.Reply{Content: &wactorv1.Reply_List{List: &wactorv1.List{
		Body: body, Button: button, Sections: []*wactorv1.Section{{Rows: options}}, Header: header, Footer: footer,
	}}})
}

// titles makes the titles as they are shown; two that come out the same could not be told apart.
func (c *choices) titles(r *run) ([]string, error) {
	titles := make([]string, len(c.options))
	seen := make(map[string]bool, len(c.options))
	for i, o := range c.options {
		title, err := r.title(o.title, c.limits.title, "a title")
		if err != nil {
			return nil, err
		}
		if seen[title] {
			return nil, r.fail(o.title.at, "two options came out with the same title", nil)
		}
		titles[i], seen[title] = title, true
	}
	return titles, nil
}

func (c *choices) showNumbers(r *run, f frame, titles []string) error {
	body, err := r.required(f.body, "a body")
	if err != nil {
		return err
	}
	var out strings.Builder
	out.WriteString(body)
	out.WriteByte('\n')
	for i, title := range titles {
		fmt.Fprintf(&out, "\n%d. %s", i+1, title)
		description, err := r.optional(c.options[i].description, MaxRowDescription)
		if err != nil {
			return err
		}
		if description != "" {
			out.WriteString(" - " + description)
		}
	}
	return r.sayText(c.at, out.String(), false)
}
