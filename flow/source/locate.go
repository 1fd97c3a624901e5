package source

import "strings"

// Place is a position in a file: line and column, both from 1, the column in characters.
type Place struct{ Line, Column int }

// file is the text of a file by lines, to find the place of a character inside a scalar.
type file [][]rune

func newFile(text string) file {
	var f file
	for line := range strings.SplitSeq(text, "\n") {
		f = append(f, []rune(line))
	}
	return f
}

// line returns a line, which counts from 1; nil where there is none.
func (f file) line(number int) []rune {
	if number < 1 || number > len(f) {
		return nil
	}
	return f[number-1]
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

// Locate returns where the character of a scalar's text, counted from 0, is written in the file:
// quotes, escapes, line folding and the indentation of blocks stand between the two. It walks text
// and file side by side.
func (n *Node) Locate(offset int) Place {
	c := n.cursor()
	for i, char := range []rune(n.Text) {
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
	lines        file
	style        style
	line, column int
	indent       int // of a block
}

func (n *Node) cursor() *cursor {
	c := &cursor{lines: n.file, style: n.style, line: n.At.Line - 1, column: n.At.Column - 1}
	switch n.style {
	case singleQuoted, doubleQuoted:
		c.column++
	case literalBlock, foldedBlock:
		c.openBlock(n.Text)
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

func (c *cursor) row(line int) []rune { return c.lines.line(line + 1) }

// rest returns what is left of the line.
func (c *cursor) rest() []rune {
	row := c.row(c.line)
	if c.column >= len(row) {
		return nil
	}
	return row[max(c.column, 0):]
}

// place is where the cursor is; the end of the file where the walk has lost its way.
func (c *cursor) place() Place {
	if last := len(c.lines) - 1; c.line > last {
		return Place{Line: last + 1, Column: len(c.lines[last]) + 1}
	}
	return Place{Line: c.line + 1, Column: max(c.column, 0) + 1}
}

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
