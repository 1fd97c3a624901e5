package flow

import (
	"strconv"
	"strings"
)

func (c *choices) answer(r *run, tries int) (*step, error) {
	chosen, stale, err := c.find(r)
	switch {
	case err != nil:
		return nil, err
	case stale:
		return nil, r.again(c.put, tries)
	case chosen == nil:
		return c.reject(r, tries, c.complaint())
	}
	if c.save != "" {
		value, err := chosen.chosenValue(r)
		if err != nil {
			return nil, err
		}
		if err := r.assign(c.at, c.save, value); err != nil {
			return nil, err
		}
	}
	return chosen.to.step, nil
}

// complaint offers the options again, below the error text where there is one. It replaces the way
// in which an ask complains: without the options the user would have to scroll back.
func (c *choices) complaint() func(*run) error {
	f := c.frame
	if c.error != nil {
		f = frame{at: c.at, body: c.error, footer: c.footer}
	}
	return func(r *run) error { return c.show(r, f) }
}

// reject is repeat.reject, with the options in every complaint.
func (c *choices) reject(r *run, tries int, complain func(*run) error) (*step, error) {
	b := c.repeat
	b.error = nil
	return b.reject(r, tries, complain)
}

// find returns the chosen option: by the id of a tap, or by a title or a number that was typed.
func (c *choices) find(r *run) (chosen *option, stale bool, err error) {
	m := r.in.Message
	if tapped(m) {
		for i := range c.options {
			if c.options[i].id == m.GetChoice().GetId() {
				return &c.options[i], false, nil
			}
		}
		if r.staleTap() {
			return nil, true, nil
		}
	}
	if !typed(m) {
		return nil, false, nil
	}
	chosen, err = c.named(r, fold(m.GetText()))
	return chosen, false, err
}

// named finds an option by its title, or else by its number: a title that is a number goes first.
func (c *choices) named(r *run, text string) (*option, error) {
	for i := range c.options {
		title, err := c.options[i].title.expand(r)
		if err != nil {
			return nil, err
		}
		if folded := fold(title); text != "" && (text == folded || text == fold(fit(title, c.limits.title))) {
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
func (o *option) chosenValue(r *run) (any, error) {
	if o.value != nil {
		return o.value, nil
	}
	return o.title.expand(r)
}
