package flow

import "fmt"

// jump goes on with another step: goto.
type jump struct{ to *target }

func (j jump) leave(*run) (*step, error) { return j.to.step, nil }
func (j jump) goesOn() ([]*target, bool) { return []*target{j.to}, true }

// wait stops; the next message enters the step that it names.
type wait struct{ to *target }

func (w wait) leave(r *run) (*step, error) {
	r.stopAt(position{step: w.to.step})
	return nil, nil
}
func (w wait) goesOn() ([]*target, bool) { return nil, false }

// end clears the state: the next message starts anew.
type end struct{}

func (end) leave(r *run) (*step, error) {
	r.ended = true
	return nil, nil
}
func (end) goesOn() ([]*target, bool) { return nil, false }

// handoff ends with a note for the operators, in the journal. The note is a literal: journals hold
// nothing that a user wrote.
type handoff struct{ note string }

func (p *checker) handoff(n *node) exit {
	if n.kind == scalarNode && n.value == true {
		return handoff{note: "handed over to an operator"}
	}
	t := p.template(n, "handoff")
	if t == nil {
		return nil
	}
	note, ok := t.literal()
	if !ok {
		p.report(n.at, "the note of a handoff cannot have {{ }}", "journals hold nothing that a user wrote")
	}
	p.some(t, "the note of a handoff")
	p.atMost(t, maxNote, "the note of a handoff", "")
	return handoff{note: "handed over to an operator: " + note}
}

// maxNote bounds the note of a handoff, in characters.
const maxNote = 200

func (h handoff) leave(r *run) (*step, error) {
	r.note(h.note)
	r.ended = true
	return nil, nil
}
func (h handoff) goesOn() ([]*target, bool) { return nil, false }

// branch goes on with the step of the first case whose condition holds: switch.
type branch struct {
	cases    []branchCase
	fallback *target
}

type branchCase struct {
	when *expression
	to   *target
}

func (p *checker) switchExit(n *node) exit {
	if n.kind != listNode {
		p.wrongKind(n, "switch", "a list")
		return nil
	}
	b := &branch{}
	for i, item := range n.items {
		f, ok := p.fields(item, "a case of switch", "when", "goto", "default")
		if !ok {
			continue
		}
		if f.has("default") {
			p.lastCase(b, f, i == len(n.items)-1)
			continue
		}
		p.needs(f, "a case of switch", "when", "the last case may be default: step")
		p.needs(f, "a case of switch", "goto", "")
		c := branchCase{to: p.target(f.get("goto"), "goto")}
		if when := f.get("when"); when != nil {
			c.when = p.condition(when, "when", usual)
		}
		b.cases = append(b.cases, c)
	}
	if b.fallback == nil {
		p.report(n.at, "switch has no default", "end the list with - default: step")
	}
	return b
}

func (p *checker) lastCase(b *branch, f fields, last bool) {
	if !last {
		p.report(f.values["default"].at, "default is not the last case of switch", "nothing after it would run")
	}
	if f.has("when") || f.has("goto") {
		p.report(f.at, "a case of switch has default and when or goto", "write - default: step alone")
	}
	b.fallback = p.target(f.get("default"), "default")
}

func (b *branch) leave(r *run) (*step, error) {
	for _, c := range b.cases {
		holds, err := r.holds(c.when)
		if err != nil {
			return nil, err
		}
		if holds {
			return c.to.step, nil
		}
	}
	return b.fallback.step, nil
}

func (b *branch) goesOn() ([]*target, bool) {
	var next []*target
	for _, w := range b.ways() {
		next = append(next, w.to)
	}
	return next, true
}

// condition reads an expression that says yes or no.
func (p *checker) condition(n *node, what string, in scope) *expression {
	if n.kind != scalarNode {
		p.wrongKind(n, what, "an expression")
		return nil
	}
	if _, isText := n.value.(string); !isText && n.value != true && n.value != false {
		p.report(n.at, fmt.Sprintf("%s must say true or false", what), "compare with something")
		return nil
	}
	return p.expression(n, 0, n.text, in, asBool)
}
