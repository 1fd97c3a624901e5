package cloudapi

import (
	"fmt"
	"strings"
)

// Problem is one reason why WhatsApp would refuse a reply. It names places and counts, never a text
// of the reply, so that it can be logged and kept as the reason of a dead letter.
type Problem struct {
	// Field is the path of the field in the bot's words: buttons.options[2].title.
	Field string
	// Got and Limit are the count and its bound, where the problem is one of size; else both are 0.
	Got, Limit int
	// Reason says what is wrong.
	Reason string
	// Source is the page that states the rule; empty where the rule is Wactor's.
	Source string
}

func (p *Problem) Error() string { return p.Field + ": " + p.Reason }

// Problems are all problems of one reply, in the order of its fields.
type Problems []*Problem

func (p Problems) Error() string {
	texts := make([]string, len(p))
	for i, one := range p {
		texts[i] = one.Error()
	}
	return "cloudapi: reply is not sendable: " + strings.Join(texts, "; ")
}

// Unwrap makes each Problem reachable by errors.As.
func (p Problems) Unwrap() []error {
	all := make([]error, len(p))
	for i, one := range p {
		all[i] = one
	}
	return all
}

// checker collects problems under a path and a source.
type checker struct {
	problems *Problems
	path     string
	source   string
}

func (c checker) in(format string, args ...any) checker {
	c.path += fmt.Sprintf(format, args...)
	return c
}

func (c checker) add(field, format string, args ...any) {
	*c.problems = append(*c.problems, &Problem{Field: c.path + field, Reason: fmt.Sprintf(format, args...),
		Source: c.source})
}

func (c checker) tooMany(field string, got, limit int, unit string) {
	*c.problems = append(*c.problems, &Problem{
		Field: c.path + field, Got: got, Limit: limit, Source: c.source,
		Reason: fmt.Sprintf("%d %s, at most %d", got, unit, limit),
	})
}
