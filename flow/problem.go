package flow

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a flow, at the place where its author can mend it.
type Problem struct {
	// File is the name that was given to Parse.
	File string
	// Line and Column count from 1; a column is a character (code point) of the line.
	Line, Column int
	// Message says what is wrong.
	Message string
	// Remedy says what to do about it; may be empty.
	Remedy string
}

// String returns "file:line:column: message (remedy)".
func (p Problem) String() string {
	text := fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
	if p.Remedy != "" {
		text += " (" + p.Remedy + ")"
	}
	return text
}

// Problems are all mistakes of a flow, in the order of their places. It is the error of Parse.
type Problems []Problem

// Error returns one line a problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// sorted orders by place and drops what was said twice.
func (p Problems) sorted() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(p)
}
