package flow

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Node is a step as a picture shows it.
type Node struct {
	Name string
	// Exit is the key of the exit: goto, switch, ask, choices, wait, end or handoff.
	Exit string
	// Ways lead out of the step, in the order in which they are written.
	Ways []Way
}

// Way leads to a step.
type Way struct {
	// Label says when it is taken; may be empty.
	Label string
	To    string
}

// Picture returns the ways into the flow (its start, its triggers, its handlers) and its steps, in
// the order of the file.
func (f *Flow) Picture() (entries []Way, nodes []Node) {
	entries = []Way{{Label: "start", To: f.start.name}}
	for _, word := range slices.Sorted(maps.Keys(f.triggers)) {
		entries = append(entries, Way{Label: `"` + word + `"`, To: f.triggers[word].name})
	}
	for _, kind := range slices.Sorted(maps.Keys(f.handlers)) {
		entries = append(entries, Way{Label: kind, To: f.handlers[kind].name})
	}
	inOrder := slices.SortedFunc(maps.Values(f.steps), func(a, b *step) int { return cmp.Compare(a.index, b.index) })
	for _, s := range inOrder {
		node := Node{Name: s.name, Exit: s.exitKey}
		for _, w := range s.ways() {
			if w.to != nil {
				node.Ways = append(node.Ways, Way{Label: w.label, To: w.to.name})
			}
		}
		nodes = append(nodes, node)
	}
	return entries, nodes
}

// way is a target, nil where the flow names none, and when it is taken.
type way struct {
	label string
	to    *target
}

// ways returns all ways out of a step.
func (s *step) ways() []way {
	var all []way
	if s.call != nil {
		all = append(all, way{"on_error", s.call.onError})
	}
	if s.exit != nil {
		all = append(all, s.exit.ways()...)
	}
	return all
}

func (j jump) ways() []way  { return []way{{"", j.to}} }
func (w wait) ways() []way  { return []way{{"next message", w.to}} }
func (end) ways() []way     { return nil }
func (handoff) ways() []way { return nil }
func (a *ask) ways() []way  { return []way{{"answer", a.to}, {"on_fail", a.onFail}} }

func (b *branch) ways() []way {
	all := make([]way, 0, len(b.cases)+1)
	for _, c := range b.cases {
		all = append(all, way{c.when.text(), c.to})
	}
	return append(all, way{"default", b.fallback})
}

func (c *choices) ways() []way {
	all := make([]way, 0, len(c.options)+1)
	for _, o := range c.options {
		all = append(all, way{o.title.text(), o.to})
	}
	return append(all, way{"on_fail", c.onFail})
}

// text returns an expression as it is written.
func (e *expression) text() string {
	if e == nil || e.node == nil {
		return ""
	}
	return strings.TrimSpace(e.node.text)
}

// text returns a template as it is written.
func (t *template) text() string {
	var out strings.Builder
	for _, part := range t.parts {
		if part.expr != nil {
			out.WriteString("{{…}}")
		}
		out.WriteString(part.literal)
	}
	return out.String()
}
