package definition

import (
	"strconv"
	"strings"

	"github.com/wactor/wactor/flow/fit"
	"github.com/wactor/wactor/flow/message"
	"github.com/wactor/wactor/flow/run"
)

// Answer implements Question.
func (c *choices) Answer(r *run.Run, tries int) (*Step, error) {
	chosen, stale, err := c.find(r)
	switch {
	case err != nil:
		return nil, err
	case stale:
		return nil, again(r, c.Put, tries)
	case chosen == nil:
		return c.reject(r, tries, c.complaint())
	}
	if c.save != "" {
		value, err := chosen.chosenValue(r)
		if err != nil {
			return nil, err
		}
		if err := r.Assign(c.At, c.save, value); err != nil {
			return nil, err
		}
	}
	return chosen.to.Step, nil
}

// complaint offers the options again, below the error text where there is one. It replaces the way
// in which an ask complains: without the options the user would have to scroll back.
func (c *choices) complaint() func(*run.Run) error {
	f := c.Frame
	if c.error != nil {
		f = message.Frame{At: c.At, Body: c.error, Footer: c.Footer}
	}
	return func(r *run.Run) error { return c.show(r, f) }
}

// reject is repeat.reject, with the options in every complaint.
func (c *choices) reject(r *run.Run, tries int, complain func(*run.Run) error) (*Step, error) {
	b := c.repeat
	b.error = nil
	return b.reject(r, tries, complain)
}

// find returns the chosen option: by the id of a tap, or by a title or a number that was typed.
func (c *choices) find(r *run.Run) (chosen *option, stale bool, err error) {
	m := r.In.Message
	if tapped(m) {
		for i := range c.options {
			if c.options[i].id == m.GetChoice().GetId() {
				return &c.options[i], false, nil
			}
		}
		if staleTap(r, c.all) {
			return nil, true, nil
		}
	}
	if !typed(m) {
		return nil, false, nil
	}
	chosen, err = c.named(r, Fold(m.GetText()))
	return chosen, false, err
}

// named finds an option by its title, or else by its number: a title that is a number goes first.
func (c *choices) named(r *run.Run, text string) (*option, error) {
	titles, err := c.titles(r)
	if err != nil {
		return nil, err
	}
	shown := fit.Titles(titles, c.limits.Title)
	for i, title := range titles {
		if text != "" && (text == Fold(title) || text == Fold(shown[i])) {
			return &c.options[i], nil
		}
	}
	for i, title := range titles { // "Yes!" is a yes
		if bare := Plain(text); bare != "" && (bare == Plain(title) || bare == Plain(shown[i])) {
			return &c.options[i], nil
		}
	}
	number, err := strconv.Atoi(strings.TrimRight(text, ".)"))
	if err != nil || number < 1 || number > len(c.options) {
		return nil, nil
	}
	return &c.options[number-1], nil
}

// chosenValue is what save gets: value, or else id, or else the title.
func (o *option) chosenValue(r *run.Run) (any, error) {
	if o.value != nil {
		return o.value, nil
	}
	return o.title.Expand(&r.Env)
}
