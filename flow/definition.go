package flow

import (
	"fmt"
	"maps"
	"slices"

	"github.com/wactor/wactor/flow/value"
)

// flow reads the whole document and checks what can be seen only once all of it is known.
func (p *checker) flow(n *node) *Flow {
	top, ok := p.fields(n, "the flow", "name", "description", "start", "vars", "triggers", "on", "steps")
	if !ok {
		return nil
	}
	for _, key := range []string{"name", "start", "steps"} {
		p.needs(top, "the flow", key, "")
	}
	f := &Flow{
		name: p.word(top.get("name"), "name"), vars: p.initial(top.get("vars")), steps: p.steps,
		triggers: map[string]*step{}, handlers: map[string]*step{}, options: p.options,
	}
	p.word(top.get("description"), "description")
	entries := []*target{p.target(top.get("start"), "start")}
	triggers := p.triggers(top.get("triggers"))
	handlers := p.handlers(top.get("on"))
	p.parseSteps(top.get("steps"))
	p.resolve()
	p.checkVariables()
	p.addresses(f.vars)
	p.reportUnknownNames()
	for _, word := range slices.Sorted(maps.Keys(triggers)) {
		t := triggers[word]
		f.triggers[word] = t.step
		entries = append(entries, t)
	}
	for _, kind := range slices.Sorted(maps.Keys(handlers)) {
		t := handlers[kind]
		f.handlers[kind] = t.step
		entries = append(entries, t)
	}
	p.checkGraph(entries)
	if entries[0] != nil {
		f.start = entries[0].step
	}
	return f
}

// initial reads the variables that a conversation starts with: literal values.
func (p *checker) initial(n *node) map[string]any {
	vars := map[string]any{}
	if n == nil {
		return vars
	}
	if n.kind != mapNode {
		p.wrongKind(n, "vars", "a map")
		return vars
	}
	seen := map[string]field{}
	for _, pair := range n.pairs {
		if !p.once(seen, pair) {
			continue
		}
		p.define(pair.key, pair.at)
		vars[pair.key] = p.literal(pair.value)
	}
	return vars
}

// literal makes the value of a node as it is written.
func (p *checker) literal(n *node) any {
	v, err := value.Normalise(n.plain())
	if err != nil {
		p.report(n.at, err.Error(), "")
	}
	return v
}

func (n *node) plain() any {
	switch n.kind {
	case listNode:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.plain()
		}
		return list
	case mapNode:
		object := make(map[string]any, len(n.pairs))
		for _, pair := range n.pairs {
			object[pair.key] = pair.value.plain()
		}
		return object
	}
	return n.value
}

// triggers reads the words that lead to a step from anywhere: a map from word to step, or a list of
// {words, goto}.
func (p *checker) triggers(n *node) map[string]*target {
	out := map[string]*target{}
	if n == nil {
		return out
	}
	switch n.kind {
	case mapNode:
		for _, pair := range n.pairs {
			p.trigger(out, pair.key, pair.at, p.target(pair.value, "a trigger's step"))
		}
	case listNode:
		for _, item := range n.items {
			p.triggerEntry(out, item)
		}
	default:
		p.wrongKind(n, "triggers", "a map or a list")
	}
	return out
}

func (p *checker) triggerEntry(out map[string]*target, n *node) {
	f, ok := p.fields(n, "a trigger", "words", "goto")
	if !ok {
		return
	}
	p.needs(f, "a trigger", "words", "")
	p.needs(f, "a trigger", "goto", "")
	to := p.target(f.get("goto"), "goto")
	words := f.get("words")
	if words == nil {
		return
	}
	items := []*node{words}
	if words.kind == listNode {
		items = words.items
	}
	for _, word := range items {
		p.trigger(out, p.word(word, "a trigger's word"), word.at, to)
	}
}

func (p *checker) trigger(out map[string]*target, word string, at place, to *target) {
	key := fold(word)
	if to == nil || key == "" {
		return
	}
	if first, twice := out[key]; twice {
		p.report(at, fmt.Sprintf("%s is a trigger twice", word), fmt.Sprintf("first for %s", first.name))
		return
	}
	out[key] = to
}

// handlers reads which steps take the messages that nobody answers otherwise.
func (p *checker) handlers(n *node) map[string]*target {
	out := map[string]*target{}
	if n == nil {
		return out
	}
	f, ok := p.fields(n, "on", slices.Sorted(maps.Keys(passive))...)
	if !ok {
		return out
	}
	for _, kind := range slices.Sorted(maps.Keys(f.values)) {
		if to := p.target(f.values[kind].value, "on "+kind); to != nil {
			out[kind] = to
		}
	}
	return out
}

// resolve finds the steps that the flow names.
func (p *checker) resolve() {
	names := slices.Sorted(maps.Keys(p.steps))
	for _, t := range p.targets {
		if t.step = p.steps[t.name]; t.step == nil {
			p.report(t.at, fmt.Sprintf("there is no step %s", t.name), remedyFor(t.name, names))
		}
	}
}

// checkVariables reports the reading of a variable that nothing ever sets: a typing mistake, which
// would read as nil.
func (p *checker) checkVariables() {
	names := slices.Sorted(maps.Keys(p.variables))
	for _, r := range p.used.reads {
		if p.variables[r.name] {
			continue
		}
		remedy := "set it in a step, or give it a first value in vars"
		if near := suggest(r.name, names); near != "" {
			remedy = "did you mean vars." + near + "?"
		}
		p.report(r.at, fmt.Sprintf("nothing sets vars.%s", r.name), remedy)
	}
}
