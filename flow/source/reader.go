// Package source reads the YAML of a flow into nodes that know their places, and collects what is
// wrong with it.
//
// A Reader goes on after a mistake, so that an author learns of all at once: what could not be read
// is nil or empty, and was reported. Its problems name file, line, column and a remedy.
package source

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wactor/wactor/flow/value"
	"github.com/wactor/wactor/internal/nearest"
	"github.com/wactor/wactor/internal/problem"
)

// Reader reads one file.
type Reader struct {
	name     string
	text     string
	file     file
	problems problem.List
}

// lineBreaks are all that YAML knows, so that lines have the same number here, in its errors and in
// an editor.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// New returns a reader; name is what problems call the file.
func New(name string, src []byte) *Reader {
	text := lineBreaks.Replace(strings.TrimPrefix(string(src), "\uFEFF"))
	return &Reader{name: name, text: text, file: newFile(text)}
}

// Problems returns all that was reported, in the order of places.
func (r *Reader) Problems() problem.List { return r.problems.Sorted() }

// maxProblems bounds the list: past it, what is reported is of no help.
const maxProblems = 200

// Report adds a problem; the remedy may be empty.
func (r *Reader) Report(at Place, message, remedy string) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, problem.Problem{
			File: r.name, Line: at.Line, Column: at.Column, Message: message, Remedy: remedy,
		})
	}
}

// WrongKind reports a node that is not what it must be, such as "a list".
func (r *Reader) WrongKind(n *Node, what, want string) {
	remedy := ""
	line := r.file.line(n.At.Line)
	if i := n.At.Column - 1; n.Kind == Map && i+1 < len(line) && line[i] == '{' && line[i+1] == '{' {
		remedy = "put a text with {{ }} in quotes"
	}
	r.Report(n.At, fmt.Sprintf("%s must be %s, not %s", what, want, n.Kind), remedy)
}

// Literal makes a value of a node as it is written.
func (r *Reader) Literal(n *Node) any {
	v, err := value.Normalise(n.Plain())
	if err != nil {
		r.Report(n.At, err.Error(), "")
	}
	return v
}

// Amount reports a list that is empty, or has more than limit items.
func (r *Reader) Amount(n *Node, limit int, what, remedy string) {
	if n == nil || n.Kind != List {
		return
	}
	switch count := len(n.Items); {
	case count == 0:
		r.Report(n.At, "no "+what, "")
	case count > limit:
		r.Report(n.At, fmt.Sprintf("%d %s, at most %d", count, what, limit), remedy)
	}
}

// RemedyFor offers the nearest of the known names, or all of them where none is near and they are
// few.
func RemedyFor(written string, known []string) string {
	otherwise := ""
	if len(known) > 0 && len(known) <= 16 {
		known = slices.Sorted(slices.Values(known))
		otherwise = "known: " + strings.Join(known, ", ")
	}
	return nearest.Remedy(written, known, otherwise)
}

// MaxName is how long the name of a step or a variable may be.
const MaxName = 64

// IsName reports whether a text is a name: letters, digits and underscores, and dashes where
// allowed; no digit first.
func IsName(name string, dash bool) bool {
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
