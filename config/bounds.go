package config

import (
	"fmt"

	"github.com/goccy/go-yaml/token"
)

// Bounds of what is read. A configuration of a hundred channels stays far below all of them; what
// is beyond them can't be meant, and would cost memory without end, or a stack.
const (
	// maxFileBytes bounds the file.
	maxFileBytes = 256 << 10
	// maxReferenceBytes bounds a file that ${file:path} names, and a value with its references
	// expanded.
	maxReferenceBytes = 64 << 10
	// maxExpandedBytes bounds all values that hold references together.
	maxExpandedBytes = 4 << 20
	// maxDepth bounds how deep lists and mappings are nested.
	maxDepth = 32
	// maxKeys bounds the keys: the parser's time grows with their square.
	maxKeys = 5_000
	// maxValues bounds the values that are decoded: a value counts once for each alias of it.
	maxValues = 20_000
	// maxProblems bounds what is reported.
	maxProblems = 200
)

// unbounded returns the first token that is too much for the parser, and why; nil where there is
// none. It recurses for brackets, and for dashes, question marks, tags and anchors in a row.
func unbounded(tokens token.Tokens) (*token.Token, string) {
	depth, row, keys := 0, 0, 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType, token.TagType, token.AnchorType:
			row++
		case token.MappingValueType:
			keys++
			row = 0
		default:
			row = 0
		}
		if depth > maxDepth || row > 2*maxDepth {
			return t, fmt.Sprintf("nested deeper than %d levels", maxDepth)
		}
		if keys > maxKeys {
			return t, fmt.Sprintf("more than %d keys", maxKeys)
		}
	}
	return nil, ""
}
