package definition

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/wactor/wactor/flow/source"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Triggers lead to a step from anywhere, also from within a question.
type Triggers struct {
	words    map[string]*Target // by what Plain makes of them
	payloads map[string]*Target // by the id of a button or row
	patterns []pattern
}

type pattern struct {
	text   string
	regexp *regexp.Regexp
	to     *Target
}

// Find returns the step that a message triggers; nil where it triggers none. Payloads go first,
// then words, then patterns in the order of the file.
func (t *Triggers) Find(m *wactorv1.Message) *Step {
	if to := t.payloads[m.GetChoice().GetId()]; to != nil && m.GetChoice().GetId() != "" {
		return to.Step
	}
	if m.GetType() != "text" && m.GetType() != "button" {
		return nil
	}
	if len(t.words) > 0 {
		if to := t.words[Plain(m.GetText())]; to != nil {
			return to.Step
		}
	}
	for _, p := range t.patterns {
		if p.regexp.MatchString(strings.TrimSpace(m.GetText())) {
			return p.to.Step
		}
	}
	return nil
}

// Ways returns the ways that triggers are, in a fixed order.
func (t *Triggers) Ways() []Way {
	var all []Way
	for _, word := range slices.Sorted(maps.Keys(t.words)) {
		all = append(all, Way{Label: `"` + word + `"`, To: t.words[word], Now: true})
	}
	for _, id := range slices.Sorted(maps.Keys(t.payloads)) {
		all = append(all, Way{Label: "payload " + id, To: t.payloads[id], Now: true})
	}
	for _, p := range t.patterns {
		all = append(all, Way{Label: p.text, To: p.to, Now: true})
	}
	return all
}

// readTriggers reads a map from word to step, or a list of {words, goto}, {match, goto} and
// {payload, goto}.
func readTriggers(p *parser, n *source.Node) *Triggers {
	t := &Triggers{words: map[string]*Target{}, payloads: map[string]*Target{}}
	if n == nil {
		return t
	}
	switch n.Kind {
	case source.Map:
		for _, pair := range n.Pairs {
			t.add(p, t.words, Plain(pair.Key), pair.Key, pair.At, p.target(pair.Value, "a trigger's step"))
		}
	case source.List:
		for _, item := range n.Items {
			t.read(p, item)
		}
	default:
		p.WrongKind(n, "triggers", "a map or a list")
	}
	return t
}

func (t *Triggers) read(p *parser, n *source.Node) {
	f, ok := p.Fields(n, "a trigger", "words", "match", "payload", "goto")
	if !ok {
		return
	}
	if !f.Has("words") && !f.Has("match") && !f.Has("payload") {
		p.Report(f.At, "a trigger has no words", "or match: /a regular expression/, or payload: the id of a button")
	}
	p.Needs(f, "a trigger", "goto", "")
	to := p.target(f.Get("goto"), "goto")
	for _, word := range listOf(f.Get("words")) {
		text := p.Word(word, "a trigger's word")
		t.add(p, t.words, Plain(text), text, word.At, to)
	}
	for _, id := range listOf(f.Get("payload")) {
		text := p.Word(id, "a trigger's payload")
		t.add(p, t.payloads, text, text, id.At, to)
	}
	for _, match := range listOf(f.Get("match")) {
		t.match(p, match, to)
	}
}

// listOf returns the items of a list, or the one that stands in place of it.
func listOf(n *source.Node) []*source.Node {
	switch {
	case n == nil:
		return nil
	case n.Kind == source.List:
		return n.Items
	}
	return []*source.Node{n}
}

func (t *Triggers) match(p *parser, n *source.Node, to *Target) {
	text := strings.TrimSpace(p.Word(n, "a trigger's match"))
	if text == "" || to == nil {
		return
	}
	if len(text) < 2 || text[0] != '/' || text[len(text)-1] != '/' {
		p.Report(n.At, "match is no regular expression between slashes", "such as /(?i)^stop\\b/")
		return
	}
	compiled, err := regexp.Compile(text[1 : len(text)-1])
	if err != nil {
		p.Report(n.At, err.Error(), "")
		return
	}
	t.patterns = append(t.patterns, pattern{text: text, regexp: compiled, to: to})
}

func (t *Triggers) add(p *parser, all map[string]*Target, key, word string, at source.Place, to *Target) {
	if to == nil || key == "" {
		return
	}
	if first, twice := all[key]; twice {
		p.Report(at, fmt.Sprintf("%s is a trigger twice", word), fmt.Sprintf("first for %s", first.name))
		return
	}
	all[key] = to
}

// readHandlers reads which steps take the messages that get no answer otherwise.
func readHandlers(p *parser, n *source.Node) map[string]*Target {
	out := map[string]*Target{}
	if n == nil {
		return out
	}
	kinds := slices.Sorted(maps.Keys(Passive))
	f, ok := p.Fields(n, "on", kinds...)
	if !ok {
		return out
	}
	for _, kind := range kinds {
		if to := p.target(f.Get(kind), "on "+kind); to != nil {
			out[kind] = to
		}
	}
	return out
}
