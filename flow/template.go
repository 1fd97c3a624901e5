package flow

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/wactor/wactor/flow/value"
)

// template is a text with {{ expressions }}.
type template struct {
	at    place
	parts []templatePart
}

// templatePart is an expression, or a literal where it has none.
type templatePart struct {
	literal string
	expr    *expression
}

// literal returns the text of a template without expressions.
func (t *template) literal() (string, bool) {
	switch {
	case len(t.parts) == 0:
		return "", true
	case len(t.parts) == 1 && t.parts[0].expr == nil:
		return t.parts[0].literal, true
	}
	return "", false
}

// single returns the expression of a template that is nothing else.
func (t *template) single() *expression {
	if len(t.parts) == 1 {
		return t.parts[0].expr
	}
	return nil
}

// least counts the characters that a template has at least.
func (t *template) least() int {
	n := 0
	for _, part := range t.parts {
		n += utf8.RuneCountInString(part.literal)
	}
	return n
}

// template reads a scalar with {{ expressions }}; nil where it is none, with a problem that names
// what it should be.
func (p *checker) template(n *node, what string) *template {
	if n.kind != scalarNode {
		p.wrongKind(n, what, "a text")
		return nil
	}
	t := &template{at: n.at}
	text, pos := n.text, 0
	for {
		open := strings.Index(text[pos:], "{{")
		if open < 0 {
			t.add(text[pos:])
			return t
		}
		t.add(text[pos : pos+open])
		start := pos + open + 2
		length := closing(text[start:])
		if length < 0 {
			p.report(p.source.locate(n, utf8.RuneCountInString(text[:start-2])), "{{ is never closed",
				"close it with }}")
			return t
		}
		e := p.expression(n, start, text[start:start+length], usual)
		if e == nil {
			e = &expression{} // a mistake that is reported; the text is not empty all the same
		}
		t.parts = append(t.parts, templatePart{expr: e})
		pos = start + length + 2
	}
}

func (t *template) add(literal string) {
	if literal != "" {
		t.parts = append(t.parts, templatePart{literal: literal})
	}
}

// closing returns where the }} of an expression starts; braces of maps and texts inside the
// expression do not close it.
func closing(code string) int {
	depth := 0
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
		case '"', '\'', '`':
			end := closingQuote(code[i+1:], c)
			if end < 0 {
				return strings.Index(code, "}}") // the compiler says what is wrong with it
			}
			i += end + 1
		case '{':
			depth++
		case '}':
			if depth == 0 && strings.HasPrefix(code[i:], "}}") {
				return i
			}
			depth = max(depth-1, 0)
		}
	}
	return -1
}

func closingQuote(code string, quote byte) int {
	for i := 0; i < len(code); i++ {
		switch {
		case code[i] == '\\' && quote != '`':
			i++
		case code[i] == quote:
			return i
		}
	}
	return -1
}

// atMost reports a text whose literal part alone is past a limit.
func (p *checker) atMost(t *template, limit int, what, remedy string) {
	if t == nil {
		return
	}
	if n := t.least(); n > limit {
		p.report(t.at, fmt.Sprintf("%s has %d characters, at most %d", what, n, limit), remedy)
	}
}

// some reports a text that is literally empty.
func (p *checker) some(t *template, what string) {
	if t == nil {
		return
	}
	if text, ok := t.literal(); ok && strings.TrimSpace(text) == "" {
		p.report(t.at, what+" is empty", "")
	}
}

// expand makes the text.
func (t *template) expand(r *run) (string, error) {
	if text, ok := t.literal(); ok {
		return text, nil
	}
	r.scratch = r.scratch[:0]
	for _, part := range t.parts {
		if part.expr == nil {
			r.scratch = append(r.scratch, part.literal...)
			continue
		}
		v, err := r.eval(part.expr)
		if err != nil {
			return "", err
		}
		out, err := value.AppendText(r.scratch, v)
		if err != nil {
			return "", r.fail(part.expr.place(0), err.Error(), err)
		}
		if r.scratch = out; len(out) > maxExpanded {
			return "", r.fail(t.at, fmt.Sprintf("a text is longer than %d KiB", maxExpanded>>10), nil)
		}
	}
	text := string(r.scratch)
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	return text, nil
}

// maxExpanded bounds a text after its expressions are filled in, in bytes: as much as all replies
// of a turn can carry.
const maxExpanded = 4 * MaxText * MaxReplies
