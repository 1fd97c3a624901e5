package flow

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// ask puts a question and waits for the answer.
type ask struct {
	repeat
	at      place
	text    *template
	locates bool // the question is a location request
	read    answerKind
	pattern *regexp.Regexp
	rule    *expression
	save    string
	to      *target
}

var askKeys = []string{"text", "type", "validate", "save", "goto", "error", "retries", "on_fail"}

func (p *checker) ask(n *node) exit {
	f, ok := p.fields(n, "ask", askKeys...)
	if !ok {
		return nil
	}
	p.needs(f, "ask", "text", "")
	p.needs(f, "ask", "goto", "where a good answer leads")
	a := &ask{at: n.at, text: p.textOf(f, "text"), to: p.target(f.get("goto"), "goto"), repeat: p.repeat(f, "ask")}
	a.save = p.variable(f.get("save"), "save")
	a.kind(p, f.get("type"))
	a.validate(p, f.get("validate"), f.has("type"))
	limit := MaxText
	if a.locates {
		limit = MaxLocationRequestBody
	}
	p.atMost(a.text, limit, "text", "say the first part of it before")
	return a
}

func (a *ask) kind(p *checker, n *node) {
	a.read = answerKinds["text"]
	name := p.word(n, "type")
	if name == "" {
		return
	}
	kind, ok := answerKinds[name]
	if !ok {
		p.report(n.at, "there is no type "+name, remedyFor(name, slices.Sorted(maps.Keys(answerKinds))))
		return
	}
	a.read = kind
	a.locates = name == "location"
}

// validate reads the name of a validator, a /regular expression/, or an expression over value.
func (a *ask) validate(p *checker, n *node, hasType bool) {
	if n == nil {
		return
	}
	rule := strings.TrimSpace(n.text)
	switch {
	case n.kind == scalarNode && contains(validators, rule):
		if hasType {
			p.report(n.at, "ask has a type and validate names another one", "write type: "+rule+" alone")
		}
		a.read = answerKinds[rule]
	case n.kind == scalarNode && len(rule) > 1 && rule[0] == '/' && rule[len(rule)-1] == '/':
		pattern, err := regexp.Compile(rule[1 : len(rule)-1])
		if err != nil {
			p.report(n.at, err.Error(), "")
			return
		}
		a.pattern = pattern
	case n.kind == scalarNode && isName(rule, false) && rule != "value":
		p.report(n.at, "there is no validator "+rule, remedyFor(rule, validators))
	default:
		a.rule = p.condition(n, "validate", validating)
	}
}

func (a *ask) leave(r *run) (*step, error) {
	s := r.step
	if err := a.put(r); err != nil {
		return nil, err
	}
	r.stopAt(position{step: s, asked: true})
	return nil, nil
}

// put puts the question.
func (a *ask) put(r *run) error {
	if a.locates {
		return locationRequest{body: a.text}.post(r)
	}
	body, err := r.required(a.text, "a question")
	if err != nil {
		return err
	}
	return r.sayText(a.text.at, body, false)
}

func (a *ask) goesOn() ([]*target, bool) { return nil, false }

func (a *ask) answer(r *run, tries int) (*step, error) {
	if r.staleTap() {
		return nil, r.again(a.put, tries)
	}
	value, ok, err := a.check(r)
	if err != nil {
		return nil, err
	}
	if !ok {
		return a.reject(r, tries, a.put)
	}
	if a.save != "" {
		if err := r.assign(a.at, a.save, value); err != nil {
			return nil, err
		}
	}
	return a.to.step, nil
}

// check returns the value of the answer, if it is a good one.
func (a *ask) check(r *run) (any, bool, error) {
	value, ok := a.read(r.in.Message)
	if !ok {
		return nil, false, nil
	}
	if a.pattern != nil && !a.pattern.MatchString(fmt.Sprint(value)) {
		return nil, false, nil
	}
	if a.rule == nil {
		return value, true, nil
	}
	r.env["value"] = value
	defer delete(r.env, "value")
	ok, err := r.holds(a.rule)
	return value, ok, err
}

// repeat says what follows a bad answer.
type repeat struct {
	error   *template
	retries int // how often the question is put again; forever where negative
	onFail  *target
}

// defaultRetries is how often a question with on_fail is put again.
const defaultRetries = 3

func (p *checker) repeat(f fields, what string) repeat {
	out := repeat{error: p.textOf(f, "error"), retries: -1, onFail: p.target(f.get("on_fail"), "on_fail")}
	p.atMost(out.error, MaxText, "error", "")
	if f.has("on_fail") {
		out.retries = defaultRetries
	}
	if !f.has("retries") {
		return out
	}
	out.retries = p.count(f.get("retries"), "retries", 0, maxRetries)
	if !f.has("on_fail") {
		p.report(f.values["retries"].at, what+" has retries without on_fail",
			"name the step to go to after the last one; without both the question is put forever")
	}
	return out
}

// maxRetries bounds ask.retries.
const maxRetries = 100

// reject answers a bad answer: the error text where there is one, else the question again; after
// the last retry on_fail.
func (b repeat) reject(r *run, tries int, put func(*run) error) (*step, error) {
	if b.retries >= 0 && tries >= b.retries {
		return b.onFail.step, nil
	}
	if b.error == nil {
		return nil, r.again(put, tries+1)
	}
	return nil, r.again(b.complain, tries+1)
}

func (b repeat) complain(r *run) error {
	body, err := r.required(b.error, "an error text")
	if err != nil {
		return err
	}
	return r.sayText(b.error.at, body, false)
}

// again says something and goes on waiting for the answer.
func (r *run) again(say func(*run) error, tries int) error {
	if err := say(r); err != nil {
		return err
	}
	r.stopAt(position{step: r.step, asked: true, tries: tries})
	return nil
}

// staleTap reports whether the message is a tap on an option that another step offered: WhatsApp
// leaves old buttons alive, and an old "Yes" is no answer to the question of now. The question is
// put again, and no retry is counted.
func (r *run) staleTap() bool {
	choice := r.in.Message.GetChoice()
	if choice.GetId() == "" || !r.flow.options[choice.GetId()] || !tapped(r.in.Message) {
		return false
	}
	r.note("a tap on an option of an earlier question")
	return true
}

// tapped reports whether a message is a tap on a button or a row of this bot.
func tapped(m *wactorv1.Message) bool {
	return m.GetType() == "button_reply" || m.GetType() == "list_reply"
}
