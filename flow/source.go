package flow

import "strings"

// place is a position in a flow: line and column, both from 1, the column in characters.
type place struct{ line, column int }

// source is the text of a flow, by lines, to find the place of a character inside a scalar.
type source struct {
	name  string
	lines [][]rune
}

func newSource(name, text string) *source {
	s := &source{name: name}
	for line := range strings.SplitSeq(text, "\n") {
		s.lines = append(s.lines, []rune(line))
	}
	return s
}

// style is how a scalar is written.
type style int

const (
	plain style = iota
	singleQuoted
	doubleQuoted
	literalBlock
	foldedBlock
)

// locate returns where the character of a scalar's value is written in the file: quotes, escapes,
// line folding and the indentation of blocks stand between the two. It walks value and source side
// by side.
func (s *source) locate(n *node, offset int) place {
	c := s.cursor(n)
	for i, char := range []rune(n.text) {
		c.sync(char)
		if i == offset {
			return c.place()
		}
		c.advance(char)
	}
	return c.place()
}

// cursor walks the source of one scalar. Lines and columns count from 0 here.
type cursor struct {
	lines        [][]rune
	style        style
	line, column int
	indent       int // of a block
}

func (s *source) cursor(n *node) *cursor {
	c := &cursor{lines: s.lines, style: n.style, line: n.at.line - 1, column: n.at.column - 1}
	switch n.style {
	case singleQuoted, doubleQuoted:
		c.column++
	case literalBlock, foldedBlock:
		c.openBlock(n.text)
	}
	return c
}

// openBlock moves to the first line of a block and learns its indentation: what the first line of
// text has in the source but not in the value.
func (c *cursor) openBlock(text string) {
	c.line++
	blank := 0
	for strings.HasPrefix(text[blank:], "\n") {
		blank++
	}
	first := c.row(c.line + blank)
	c.indent = leadingSpaces(first) - leadingSpaces([]rune(text[blank:]))
	c.column = c.indent
}

func leadingSpaces(line []rune) int {
	n := 0
	for n < len(line) && line[n] == ' ' {
		n++
	}
	return n
}

func (c *cursor) row(line int) []rune {
	if line < 0 || line >= len(c.lines) {
		return nil
	}
	return c.lines[line]
}

// rest returns what is left of the line.
func (c *cursor) rest() []rune {
	row := c.row(c.line)
	if c.column >= len(row) {
		return nil
	}
	return row[max(c.column, 0):]
}

func (c *cursor) place() place { return place{line: c.line + 1, column: max(c.column, 0) + 1} }

// sync skips what stands before a character without being part of the value.
func (c *cursor) sync(char rune) {
	if c.style == doubleQuoted {
		for rest := c.rest(); len(rest) == 1 && rest[0] == '\\'; rest = c.rest() {
			c.nextText() // an escaped line break
		}
	}
	if char != ' ' && char != '\n' && len(c.rest()) == 0 && c.line < len(c.lines)-1 {
		c.nextText()
	}
}

// advance moves behind a character of the value.
func (c *cursor) advance(char rune) {
	rest := c.rest()
	switch {
	case c.style == doubleQuoted && len(rest) > 1 && rest[0] == '\\':
		c.column += escapeLength(rest[1])
	case c.style == singleQuoted && len(rest) > 1 && rest[0] == '\'' && rest[1] == '\'':
		c.column += 2
	case char == '\n' && c.style == literalBlock:
		c.line++
		c.column = c.indent
	case c.style != literalBlock && (char == '\n' || char == ' ' && isBlank(rest)):
		if isBlank(rest) {
			c.nextText()
		}
	default:
		c.column++
	}
}

// nextText moves to the first character of the next line that has any.
func (c *cursor) nextText() {
	for c.line++; c.line < len(c.lines)-1 && isBlank(c.row(c.line)); c.line++ {
	}
	c.column = leadingSpaces(c.row(c.line))
	if c.style == foldedBlock {
		c.column = min(c.column, c.indent)
	}
}

func isBlank(line []rune) bool { return strings.TrimSpace(string(line)) == "" }

// escapeLength returns how many characters a double-quoted escape takes, backslash included.
func escapeLength(kind rune) int {
	switch kind {
	case 'x':
		return 4
	case 'u':
		return 6
	case 'U':
		return 10
	}
	return 2
}
