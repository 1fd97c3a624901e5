package flow

import (
	"maps"
	"slices"
)

// Node is a step as a picture shows it.
type Node struct {
	Name string
	// Exit is the key of the exit: goto, switch, ask, choices, wait, back, end or handoff.
	Exit string
	// Ways are those out of the step, in the order in which they are written.
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
	d := f.definition
	entries = []Way{{Label: "start", To: d.Start.Name}}
	for _, w := range d.Triggers.Ways() {
		entries = append(entries, Way{Label: w.Label, To: w.To.Step.Name})
	}
	for _, kind := range slices.Sorted(maps.Keys(d.Handlers)) {
		entries = append(entries, Way{Label: kind, To: d.Handlers[kind].Name})
	}
	for _, s := range d.InOrder() {
		node := Node{Name: s.Name, Exit: s.Exit}
		for _, w := range s.Ways() {
			if w.To != nil {
				node.Ways = append(node.Ways, Way{Label: w.Label, To: w.To.Step.Name})
			}
		}
		nodes = append(nodes, node)
	}
	return entries, nodes
}
