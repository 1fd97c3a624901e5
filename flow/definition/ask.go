package definition

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/message"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
	"github.com/wactor/wactor/provider"
)

// ask puts a question and waits for the answer.
type ask struct {
	repeat
	at      source.Place
	text    *expr.Template
	locates bool // the question is a location request
	read    answerKind
	pattern *regexp.Regexp
	rule    *expr.Expression
	save    string
	to      *Target
	options map[string]bool // of the whole flow
}

var askKeys = []string{"text", "type", "validate", "save", "goto", "error", "retries", "on_fail"}

func readAsk(p *parser, _ *Step, n *source.Node) Part {
	f, ok := p.Fields(n, "ask", askKeys...)
	if !ok {
		return nil
	}
	p.Needs(f, "ask", "text", "")
	p.Needs(f, "ask", "goto", "where a good answer leads")
	a := &ask{at: n.At, text: p.TextOf(f, "text"), to: p.target(f.Get("goto"), "goto"), repeat: readRepeat(p, f, "ask"),
		options: p.options}
	a.save = p.variable(f.Get("save"), "save")
	a.kind(p, f.Get("type"))
	a.validate(p, f.Get("validate"), f.Has("type"))
	limit := provider.MaxText
	if a.locates {
		limit = provider.MaxLocationRequestBody
	}
	p.AtMost(a.text, limit, "text", "say the first part of it before")
	return a
}

func (a *ask) kind(p *parser, n *source.Node) {
	a.read = answerKinds["text"]
	name := p.Word(n, "type")
	if name == "" {
		return
	}
	kind, ok := answerKinds[name]
	if !ok {
		p.Report(n.At, "there is no type "+name, source.RemedyFor(name, slices.Sorted(maps.Keys(answerKinds))))
		return
	}
	a.read = kind
	a.locates = name == "location"
}

// validate reads the name of a validator, a /regular expression/, or an expression over value.
func (a *ask) validate(p *parser, n *source.Node, hasType bool) {
	if n == nil {
		return
	}
	rule := strings.TrimSpace(n.Text)
	switch {
	case n.Kind == source.Scalar && slices.Contains(validators, rule):
		if hasType {
			p.Report(n.At, "ask has a type and validate names another one", "write type: "+rule+" alone")
		}
		a.read = answerKinds[rule]
	case n.Kind == source.Scalar && len(rule) > 1 && rule[0] == '/' && rule[len(rule)-1] == '/':
		pattern, err := regexp.Compile(rule[1 : len(rule)-1])
		if err != nil {
			p.Report(n.At, err.Error(), "")
			return
		}
		a.pattern = pattern
	case n.Kind == source.Scalar && source.IsName(rule, false) && rule != "value":
		p.Report(n.At, "there is no validator "+rule, source.RemedyFor(rule, validators))
	default:
		a.rule = p.Condition(n, "validate", expr.Validating)
	}
}

// Run implements Part.
func (a *ask) Run(r *run.Run) (*Step, error) {
	return nil, again(r, a.Put, 0)
}

// Put implements Question.
func (a *ask) Put(r *run.Run) error {
	if a.locates {
		return message.LocationRequest{Body: a.text}.Post(r)
	}
	return putText(r, a.text, "a question")
}

// Ways implements Part.
func (a *ask) Ways() []Way { return []Way{{Label: "answer", To: a.to}, {Label: onFail, To: a.onFail}} }

// Answer implements Question.
func (a *ask) Answer(r *run.Run, tries int) (*Step, error) {
	if staleTap(r, a.options) {
		return nil, again(r, a.Put, tries)
	}
	value, ok, err := a.check(r)
	if err != nil {
		return nil, err
	}
	if !ok {
		return a.reject(r, tries, a.Put)
	}
	if a.save != "" {
		if err := r.Assign(a.at, a.save, value); err != nil {
			return nil, err
		}
	}
	return a.to.Step, nil
}

// check returns the value of the answer, if it is a good one.
func (a *ask) check(r *run.Run) (any, bool, error) {
	value, ok := a.read(r.In.Message)
	if !ok {
		return nil, false, nil
	}
	if a.pattern != nil && !a.pattern.MatchString(fmt.Sprint(value)) {
		return nil, false, nil
	}
	if a.rule == nil {
		return value, true, nil
	}
	r.Set("value", value)
	defer r.Unset("value")
	ok, err := r.Holds(a.rule)
	return value, ok, err
}
