package definition

import (
	"cmp"
	"maps"
	"slices"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/source"
)

// Flow is a flow that was read and checked. It never changes; many goroutines may use it at once.
type Flow struct {
	File  string // what problems and errors call it
	Name  string
	Start *Step
	Steps map[string]*Step
	// Vars are the variables that a conversation starts with.
	Vars     map[string]any
	Triggers *Triggers
	// Handlers are the steps that take messages of a type.
	Handlers map[string]*Step
	// Options are the ids of all options: a tap on one that no question asks for now is an old one.
	Options map[string]bool
	// Uses says what its expressions read.
	Uses expr.Usage
}

// Parse reads a flow from YAML and checks it; name is what problems call the file. The error, where
// there is one, is a problem.List: all mistakes, in the order of their places. A text that is no
// YAML at all has one problem, the first.
func Parse(name string, src []byte) (*Flow, error) {
	r := source.New(name, src)
	p := &parser{
		Compiler: &expr.Compiler{Reader: r}, variables: map[string]bool{}, assigned: map[string]bool{},
		steps: map[string]*Step{}, options: map[string]bool{},
	}
	f := readFlow(p, r.Document())
	if problems := r.Problems(); len(problems) > 0 {
		return nil, problems
	}
	f.File, f.Uses = name, p.Used
	return f, nil
}

// readFlow reads the whole document and checks what can be seen only once all of it is known.
func readFlow(p *parser, n *source.Node) *Flow {
	top, ok := p.Fields(n, "the flow", "name", "description", "start", "vars", "triggers", "on", "steps")
	if !ok {
		return nil
	}
	for _, key := range []string{"name", "start", "steps"} {
		p.Needs(top, "the flow", key, "")
	}
	f := &Flow{
		Name: p.Word(top.Get("name"), "name"), Vars: readVars(p, top.Get("vars")), Steps: p.steps,
		Handlers: map[string]*Step{}, Options: p.options,
	}
	p.Word(top.Get("description"), "description")
	start := p.target(top.Get("start"), "start")
	f.Triggers = readTriggers(p, top.Get("triggers"))
	handlers := readHandlers(p, top.Get("on"))
	readSteps(p, top.Get("steps"))
	p.resolve()
	p.CheckNames(p.variables)
	for _, check := range p.later {
		check(f.Vars)
	}
	entries := []*Target{start}
	for _, w := range f.Triggers.Ways() {
		entries = append(entries, w.To)
	}
	for _, kind := range slices.Sorted(maps.Keys(handlers)) {
		t := handlers[kind]
		f.Handlers[kind] = t.Step
		entries = append(entries, t)
	}
	checkGraph(p, entries)
	checkBack(p, start)
	if start != nil {
		f.Start = start.Step
	}
	return f
}

// InOrder returns the steps in the order of the file.
func (f *Flow) InOrder() []*Step {
	return slices.SortedFunc(maps.Values(f.Steps), func(a, b *Step) int { return cmp.Compare(a.index, b.index) })
}

// readVars reads the variables that a conversation starts with: literal values.
func readVars(p *parser, n *source.Node) map[string]any {
	vars := map[string]any{}
	if n == nil {
		return vars
	}
	if n.Kind != source.Map {
		p.WrongKind(n, "vars", "a map")
		return vars
	}
	for pair := range p.Pairs(n) {
		p.define(pair.Key, pair.At)
		vars[pair.Key] = p.Literal(pair.Value)
	}
	return vars
}
