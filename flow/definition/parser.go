package definition

import (
	"fmt"
	"maps"
	"slices"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/source"
)

// parser reads a flow. What a kind needs to read itself is here and in the compiler: names of steps
// and variables, places, expressions.
type parser struct {
	*expr.Compiler
	// variables are the names that the flow ever sets, assigned those that a step sets.
	variables, assigned map[string]bool
	steps               map[string]*Step
	order               []*Step
	targets             []*Target
	options             map[string]bool
	// later are checks that need to know the whole flow.
	later []func(vars map[string]any)
}

// target reads the name of a step; nil where there is none.
func (p *parser) target(n *source.Node, what string) *Target {
	name := p.Word(n, what)
	if name == "" {
		return nil
	}
	t := &Target{name: name, at: n.At}
	p.targets = append(p.targets, t)
	return t
}

// resolve finds the steps that the flow names.
func (p *parser) resolve() {
	names := slices.Sorted(maps.Keys(p.steps))
	for _, t := range p.targets {
		if t.Step = p.steps[t.name]; t.Step == nil {
			p.Report(t.at, fmt.Sprintf("there is no step %s", t.name), source.RemedyFor(t.name, names))
		}
	}
}

// variable reads the name of a variable that the flow sets.
func (p *parser) variable(n *source.Node, what string) string {
	name := p.Word(n, what)
	if name != "" {
		p.define(name, n.At)
		p.assigned[name] = true
	}
	return name
}

func (p *parser) define(name string, at source.Place) {
	if !source.IsName(name, false) {
		p.Report(at, fmt.Sprintf("%s is no name for a variable", name),
			fmt.Sprintf("letters, digits and _, not a digit first, at most %d", source.MaxName))
		return
	}
	p.variables[name] = true
}
