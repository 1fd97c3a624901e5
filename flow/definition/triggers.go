package definition

import (
	"fmt"
	"maps"
	"slices"

	"github.com/wactor/wactor/flow/source"
)

// readTriggers reads the words that lead to a step from anywhere: a map from word to step, or a
// list of {words, goto}.
func readTriggers(p *parser, n *source.Node) map[string]*Target {
	out := map[string]*Target{}
	if n == nil {
		return out
	}
	switch n.Kind {
	case source.Map:
		for _, pair := range n.Pairs {
			addTrigger(p, out, pair.Key, pair.At, p.target(pair.Value, "a trigger's step"))
		}
	case source.List:
		for _, item := range n.Items {
			readTrigger(p, out, item)
		}
	default:
		p.WrongKind(n, "triggers", "a map or a list")
	}
	return out
}

func readTrigger(p *parser, out map[string]*Target, n *source.Node) {
	f, ok := p.Fields(n, "a trigger", "words", "goto")
	if !ok {
		return
	}
	p.Needs(f, "a trigger", "words", "")
	p.Needs(f, "a trigger", "goto", "")
	to := p.target(f.Get("goto"), "goto")
	words := f.Get("words")
	if words == nil {
		return
	}
	items := []*source.Node{words}
	if words.Kind == source.List {
		items = words.Items
	}
	for _, word := range items {
		addTrigger(p, out, p.Word(word, "a trigger's word"), word.At, to)
	}
}

func addTrigger(p *parser, out map[string]*Target, word string, at source.Place, to *Target) {
	key := Fold(word)
	if to == nil || key == "" {
		return
	}
	if first, twice := out[key]; twice {
		p.Report(at, fmt.Sprintf("%s is a trigger twice", word), fmt.Sprintf("first for %s", first.name))
		return
	}
	out[key] = to
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
