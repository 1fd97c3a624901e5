package expr

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/wactor/wactor/flow/source"
	"github.com/wactor/wactor/flow/value"
)

// Template is a text with {{ expressions }}.
type Template struct {
	At    source.Place
	parts []templatePart
}

// templatePart is an expression, or a literal where it has none.
type templatePart struct {
	literal string
	expr    *Expression
}

// Literal returns the text of a template without expressions; false where it has any.
func (t *Template) Literal() (string, bool) {
	switch {
	case len(t.parts) == 0:
		return "", true
	case len(t.parts) == 1 && t.parts[0].expr == nil:
		return t.parts[0].literal, true
	}
	return "", false
}

// single returns the expression of a template that is nothing else.
func (t *Template) single() *Expression {
	if len(t.parts) == 1 {
		return t.parts[0].expr
	}
	return nil
}

// least counts the characters that a template has at least.
func (t *Template) least() int {
	n := 0
	for _, part := range t.parts {
		n += utf8.RuneCountInString(part.literal)
	}
	return n
}

// Template reads a scalar with {{ expressions }}; nil where it is none, with a problem that names
// what it should be.
func (c *Compiler) Template(n *source.Node, what string) *Template {
	if n.Kind != source.Scalar {
		c.WrongKind(n, what, "a text")
		return nil
	}
	t := &Template{At: n.At}
	text, pos := n.Text, 0
	for {
		open := strings.Index(text[pos:], "{{")
		if open < 0 {
			c.breaks(n, pos, len(text))
			t.add(text[pos:])
			return t
		}
		c.breaks(n, pos, pos+open)
		t.add(text[pos : pos+open])
		start := pos + open + 2
		length := closing(text[start:])
		if length < 0 {
			c.Report(n.Locate(utf8.RuneCountInString(text[:start-2])), "{{ is never closed",
				"close it with }}")
			return t
		}
		e := c.expression(n, start, text[start:start+length], Usual)
		if e == nil {
			e = &Expression{} // a mistake that is reported; the text is not empty all the same
		}
		t.parts = append(t.parts, templatePart{expr: e})
		pos = start + length + 2
	}
}

// breaks reports a line break that is written as \n where YAML takes it for two characters, between
// two places of a text.
func (c *Compiler) breaks(n *source.Node, from, to int) {
	if at := strings.Index(n.Text[from:to], `\n`); at >= 0 && !n.Escapes() {
		c.Report(n.Locate(utf8.RuneCountInString(n.Text[:from+at])), `\n is no line break here`,
			"put the text in double quotes, or write it in several lines below |")
	}
}

func (t *Template) add(literal string) {
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

// TextOf reads the text of a key, which may be missing but not empty.
func (c *Compiler) TextOf(f source.Fields, key string) *Template {
	if !f.Has(key) {
		return nil
	}
	t := c.Template(f.Get(key), key)
	c.Some(t, key)
	return t
}

// AtMost reports a text whose literal part alone is past a limit, in characters; t may be nil.
func (c *Compiler) AtMost(t *Template, limit int, what, remedy string) {
	if t == nil {
		return
	}
	if n := t.least(); n > limit {
		c.Report(t.At, fmt.Sprintf("%s has %d characters, at most %d", what, n, limit), remedy)
	}
}

// Some reports a text that is literally empty; t may be nil.
func (c *Compiler) Some(t *Template, what string) {
	if t == nil {
		return
	}
	if text, ok := t.Literal(); ok && strings.TrimSpace(text) == "" {
		c.Report(t.At, what+" is empty", "")
	}
}

// Text returns the template as it is written, with {{…}} for each expression.
func (t *Template) Text() string {
	var out strings.Builder
	for _, part := range t.parts {
		if part.expr != nil {
			out.WriteString("{{…}}")
		}
		out.WriteString(part.literal)
	}
	return out.String()
}

// Expand makes the text, which is valid UTF-8. The error is a *Failure.
func (t *Template) Expand(e *Env) (string, error) {
	if text, ok := t.Literal(); ok {
		return text, nil
	}
	e.scratch = e.scratch[:0]
	for _, part := range t.parts {
		if part.expr == nil {
			e.scratch = append(e.scratch, part.literal...)
			continue
		}
		v, err := e.Eval(part.expr)
		if err != nil {
			return "", err
		}
		out, err := value.AppendText(e.scratch, v)
		if err != nil {
			return "", Fail(part.expr.place(0), err.Error(), err)
		}
		if e.scratch = out; len(out) > maxExpanded {
			return "", Fail(t.At, fmt.Sprintf("a text is longer than %d KiB", maxExpanded>>10), nil)
		}
	}
	text := string(e.scratch)
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	return text, nil
}

// maxExpanded bounds a text after its expressions are filled in, in bytes: as much as the 20
// replies of a turn can carry, of 4096 characters each.
const maxExpanded = 4 * 4096 * 20

// Text returns a template that is a literal.
func Text(literal string) *Template { return &Template{parts: []templatePart{{literal: literal}}} }
