package source

import (
	"fmt"
	"iter"
	"slices"
)

// Fields are the entries of a map whose keys are fixed.
type Fields struct {
	// At is the place of the map.
	At    Place
	pairs map[string]Pair
}

// Get returns what stands behind a key; nil where the map has none.
func (f Fields) Get(key string) *Node { return f.pairs[key].Value }

// Has reports whether the map has a key.
func (f Fields) Has(key string) bool { return f.pairs[key].Value != nil }

// Place returns where a key is written.
func (f Fields) Place(key string) Place { return f.pairs[key].At }

// Fields reads a map and reports unknown and repeated keys; false where the node is no map.
func (r *Reader) Fields(n *Node, what string, known ...string) (Fields, bool) {
	out := Fields{pairs: map[string]Pair{}}
	if n == nil {
		return out, false
	}
	out.At = n.At
	if n.Kind != Map {
		r.WrongKind(n, what, "a map")
		return out, false
	}
	for pair := range r.Pairs(n) {
		if !slices.Contains(known, pair.Key) {
			r.Report(pair.At, fmt.Sprintf("unknown key %s in %s", pair.Key, what), RemedyFor(pair.Key, known))
			continue
		}
		out.pairs[pair.Key] = pair
	}
	return out, true
}

// Pairs yields the entries of a map, and reports those whose key was there before.
func (r *Reader) Pairs(n *Node) iter.Seq[Pair] {
	return func(yield func(Pair) bool) {
		first := map[string]Place{}
		for _, pair := range n.Pairs {
			if at, twice := first[pair.Key]; twice {
				r.Report(pair.At, pair.Key+" is given twice", fmt.Sprintf("first in line %d", at.Line))
				continue
			}
			first[pair.Key] = pair.At
			if !yield(pair) {
				return
			}
		}
	}
}

// Needs reports a missing key.
func (r *Reader) Needs(f Fields, what, key, remedy string) {
	if !f.Has(key) {
		r.Report(f.At, fmt.Sprintf("%s has no %s", what, key), remedy)
	}
}

// Word reads a text without expressions; empty where there is none.
func (r *Reader) Word(n *Node, what string) string {
	if n == nil {
		return ""
	}
	if n.Kind != Scalar {
		r.WrongKind(n, what, "a text")
		return ""
	}
	if n.Text == "" {
		r.Report(n.At, what+" is empty", "")
	}
	return n.Text
}

// Count reads a whole number between two bounds; least where there is none.
func (r *Reader) Count(n *Node, what string, least, most int) int {
	if n == nil {
		return least
	}
	v, ok := n.Value.(int)
	if !ok || v < least || v > most {
		r.Report(n.At, fmt.Sprintf("%s must be a whole number from %d to %d", what, least, most), "")
		return least
	}
	return v
}

// Yes reads a key whose only value is true.
func (r *Reader) Yes(n *Node, what string) {
	if n != nil && n.Value != true {
		r.Report(n.At, what+" must be true", "leave it out otherwise")
	}
}
