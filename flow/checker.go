package flow

import "fmt"

// checker reads a flow and collects its problems. It goes on after a mistake, so that an author
// learns of all at once: what could not be read is nil, and was reported.
type checker struct {
	source       *source
	problems     Problems
	used         usage
	unknownNames []unknownName
	// variables are the names that the flow ever sets.
	variables map[string]bool
	// assigned are those that a step sets.
	assigned map[string]bool
	// urls are those of calls.
	urls    []*template
	steps   map[string]*step
	order   []*step
	targets []*target
	options map[string]bool
}

func newChecker(s *source) *checker {
	return &checker{source: s, variables: map[string]bool{}, assigned: map[string]bool{}, steps: map[string]*step{},
		options: map[string]bool{}}
}

// maxProblems bounds the list: past it, what is reported helps nobody.
const maxProblems = 200

func (p *checker) report(at place, message, remedy string) {
	if len(p.problems) < maxProblems {
		p.problems = append(p.problems, Problem{
			File: p.source.name, Line: at.line, Column: at.column, Message: message, Remedy: remedy,
		})
	}
}

func (p *checker) wrongKind(n *node, what, want string) {
	remedy := ""
	line := p.source.lineAt(n.at.line)
	if i := n.at.column - 1; n.kind == mapNode && i+1 < len(line) && line[i] == '{' && line[i+1] == '{' {
		remedy = "put a text with {{ }} in quotes"
	}
	p.report(n.at, fmt.Sprintf("%s must be %s, not %s", what, want, n.kind), remedy)
}

// fields are the entries of a map whose keys are fixed.
type fields struct {
	at     place
	values map[string]field
}

type field struct {
	at    place // of the key
	value *node
}

func (f fields) get(key string) *node { return f.values[key].value }

func (f fields) has(key string) bool { return f.values[key].value != nil }

// fields reads a map and reports unknown and repeated keys; false where the node is no map.
func (p *checker) fields(n *node, what string, known ...string) (fields, bool) {
	out := fields{values: map[string]field{}}
	if n == nil {
		return out, false
	}
	out.at = n.at
	if n.kind != mapNode {
		p.wrongKind(n, what, "a map")
		return out, false
	}
	for _, pair := range n.pairs {
		if !contains(known, pair.key) {
			p.report(pair.at, fmt.Sprintf("unknown key %s in %s", pair.key, what), remedyFor(pair.key, known))
			continue
		}
		p.once(out.values, pair)
	}
	return out, true
}

func contains(list []string, name string) bool {
	for _, one := range list {
		if one == name {
			return true
		}
	}
	return false
}

// once enters a pair into seen, unless its key was there.
func (p *checker) once(seen map[string]field, pair pair) bool {
	if first, twice := seen[pair.key]; twice {
		p.report(pair.at, fmt.Sprintf("%s is given twice", pair.key), fmt.Sprintf("first in line %d", first.at.line))
		return false
	}
	seen[pair.key] = field{at: pair.at, value: pair.value}
	return true
}

// needs reports a missing key.
func (p *checker) needs(f fields, what, key, remedy string) {
	if !f.has(key) {
		p.report(f.at, fmt.Sprintf("%s has no %s", what, key), remedy)
	}
}

// word reads a text without expressions; empty where there is none.
func (p *checker) word(n *node, what string) string {
	if n == nil {
		return ""
	}
	if n.kind != scalarNode {
		p.wrongKind(n, what, "a text")
		return ""
	}
	if n.text == "" {
		p.report(n.at, what+" is empty", "")
	}
	return n.text
}

// count reads a whole number between two bounds; least where there is none.
func (p *checker) count(n *node, what string, least, most int) int {
	if n == nil {
		return least
	}
	v, ok := n.value.(int)
	if !ok || v < least || v > most {
		p.report(n.at, fmt.Sprintf("%s must be a whole number from %d to %d", what, least, most), "")
		return least
	}
	return v
}

// yes reads a key whose only value is true.
func (p *checker) yes(n *node, what string) {
	if n != nil && n.value != true {
		p.report(n.at, what+" must be true", "leave it out otherwise")
	}
}

// variable reads the name of a variable that the flow sets.
func (p *checker) variable(n *node, what string) string {
	name := p.word(n, what)
	if name != "" {
		p.define(name, n.at)
		p.assigned[name] = true
	}
	return name
}

func (p *checker) define(name string, at place) {
	if !isName(name, false) {
		p.report(at, fmt.Sprintf("%s is no name for a variable", name),
			fmt.Sprintf("letters, digits and _, not a digit first, at most %d", MaxName))
		return
	}
	p.variables[name] = true
}

// isName: letters, digits and underscores, and dashes where allowed; no digit first.
func isName(name string, dash bool) bool {
	if name == "" || len(name) > MaxName {
		return false
	}
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || !(c >= '0' && c <= '9' || dash && c == '-')) {
			return false
		}
	}
	return true
}

// target is a step that another place of the flow names.
type target struct {
	name string
	at   place
	step *step
}

// target reads the name of a step; nil where there is none.
func (p *checker) target(n *node, what string) *target {
	name := p.word(n, what)
	if name == "" {
		return nil
	}
	t := &target{name: name, at: n.at}
	p.targets = append(p.targets, t)
	return t
}
