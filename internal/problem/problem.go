// Package problem holds what a checker reports about a file that a person wrote: where the mistake
// is, what it is, and what to do about it. Configuration and flows share it, so that both read
// alike and `--json` has one shape for them.
package problem

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in a file.
type Problem struct {
	// File is the name that the file was read under; empty where the text came from none.
	File string `json:"file,omitempty"`
	// Line and Column count from 1; a column is a character (code point) of the line. Both are 0
	// where no place is known.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Message says what is wrong. It never holds the value of a secret or of a variable.
	Message string `json:"message"`
	// Remedy says what to do about it; may be empty.
	Remedy string `json:"remedy,omitempty"`
}

// String returns "file:line:column: message (remedy)", without the parts that are unknown.
func (p Problem) String() string {
	var text strings.Builder
	if p.File != "" {
		text.WriteString(p.File + ":")
	}
	if p.Line > 0 {
		fmt.Fprintf(&text, "%d:%d:", p.Line, p.Column)
	}
	if text.Len() > 0 {
		text.WriteString(" ")
	}
	text.WriteString(p.Message)
	if p.Remedy != "" {
		text.WriteString(" (" + p.Remedy + ")")
	}
	return text.String()
}

// List is an error where it is not empty: all mistakes of a file.
type List []Problem

// Error returns one line for each problem.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, p := range l {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Sorted orders the problems by their places, keeps the order of those that share one, and drops
// repetitions. It changes and returns its receiver.
func (l List) Sorted() List {
	slices.SortStableFunc(l, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(l)
}
