package flow

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/wactor/wactor/flow/value"
)

// node is a value of the YAML document with its place. Package parser's tree ends here: all else
// reads nodes.
type node struct {
	kind  nodeKind
	at    place
	style style
	// text is a scalar as a text, value the same as what YAML takes it for: string, int, float64,
	// bool or nil.
	text  string
	value any
	items []*node
	pairs []pair
}

type pair struct {
	key   string
	at    place
	value *node
}

type nodeKind int

const (
	scalarNode nodeKind = iota
	nullNode
	listNode
	mapNode
)

func (k nodeKind) String() string { return [...]string{"a text", "nothing", "a list", "a map"}[k] }

// document parses the YAML of a flow. Anchors, aliases, tags and merge keys are refused: a flow
// needs none, and a few lines of aliases can unfold to gigabytes.
func (p *checker) document(text string) *node {
	switch {
	case len(text) > MaxSource:
		p.report(place{1, 1}, fmt.Sprintf("the flow is larger than %d KiB", MaxSource>>10), "")
		return nil
	case !utf8.ValidString(text):
		p.report(place{1, 1}, "the flow is not UTF-8", "")
		return nil
	}
	tokens := lexer.Tokenize(text)
	if !p.plainTokens(tokens) {
		return nil
	}
	file, err := parseTokens(tokens)
	if err != nil {
		p.syntax(err)
		return nil
	}
	var body ast.Node
	for i, doc := range file.Docs {
		if i > 0 && doc.Body != nil {
			p.report(placeOf(doc.Body.GetToken()), "a second document", "one file is one flow")
			return nil
		}
		body = doc.Body
	}
	if body == nil {
		p.report(place{1, 1}, "the flow is empty", "")
		return nil
	}
	return p.convert(body, 1)
}

// parseTokens turns a panic of the parser into an error: it is handed whatever a file holds.
func parseTokens(tokens token.Tokens) (file *ast.File, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("not YAML")
		}
	}()
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// plainTokens refuses what no flow needs before the parser meets it, nesting that would exhaust its
// stack too.
func (p *checker) plainTokens(tokens token.Tokens) bool {
	depth, dashes, before := 0, 0, len(p.problems)
	for _, t := range tokens {
		if t.Type != token.SequenceEntryType {
			dashes = 0
		}
		switch t.Type {
		case token.AnchorType, token.AliasType:
			p.report(placeOf(t), "anchors and aliases are not possible in a flow",
				"quote a text that starts with & or *")
		case token.TagType:
			p.report(placeOf(t), "tags are not possible in a flow", "quote a text that starts with !")
		case token.MergeKeyType:
			p.report(placeOf(t), "merge keys are not possible in a flow", "")
		case token.MappingKeyType:
			p.report(placeOf(t), "keys with ? are not possible in a flow", "quote a text that starts with ?")
		case token.DirectiveType:
			p.report(placeOf(t), "directives are not possible in a flow", "quote a text that starts with %")
		case token.SequenceEntryType:
			dashes++
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		if depth > value.MaxDepth || dashes > value.MaxDepth {
			p.report(placeOf(t), fmt.Sprintf("nested deeper than %d levels", value.MaxDepth), "")
			return false
		}
	}
	return len(p.problems) == before
}

func (p *checker) syntax(err error) {
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) || syntax.Token == nil {
		p.report(place{1, 1}, "not YAML", "")
		return
	}
	remedy := ""
	at := placeOf(syntax.Token)
	if line := string(p.source.lineAt(at.line)); strings.Contains(line, "{{") {
		remedy = "put a text with {{ }} in quotes"
	}
	p.report(at, "not YAML: "+syntax.Message, remedy)
}

func (s *source) lineAt(line int) []rune {
	if line < 1 || line > len(s.lines) {
		return nil
	}
	return s.lines[line-1]
}

func placeOf(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{1, 1}
	}
	return place{line: max(t.Position.Line, 1), column: max(t.Position.Column, 1)}
}

// convert makes nodes of the parser's tree.
func (p *checker) convert(n ast.Node, depth int) *node {
	if depth > value.MaxDepth {
		p.report(placeOf(n.GetToken()), fmt.Sprintf("nested deeper than %d levels", value.MaxDepth), "")
		return &node{kind: nullNode, at: placeOf(n.GetToken())}
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return p.convertMap(n, n.Values, depth)
	case *ast.MappingValueNode:
		return p.convertMap(n, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		list := &node{kind: listNode, at: placeOf(n.GetToken())}
		for _, item := range n.Values {
			list.items = append(list.items, p.convert(item, depth+1))
		}
		return list
	}
	return p.convertScalar(n)
}

func (p *checker) convertMap(n ast.Node, values []*ast.MappingValueNode, depth int) *node {
	out := &node{kind: mapNode, at: placeOf(n.GetToken())}
	for i, value := range values {
		key := value.Key.GetToken()
		at := placeOf(key)
		if i == 0 && key.Position.Line <= out.at.line && key.Position.Column < out.at.column {
			out.at = at // the parser places a block map at its first colon
		}
		out.pairs = append(out.pairs, pair{key: key.Value, at: at, value: p.convert(value.Value, depth+1)})
	}
	return out
}

func (p *checker) convertScalar(n ast.Node) *node {
	t := n.GetToken()
	out := &node{kind: scalarNode, at: placeOf(t), text: t.Value, value: t.Value}
	switch n := n.(type) {
	case *ast.NullNode:
		out.kind, out.value = nullNode, nil
	case *ast.BoolNode:
		out.value = n.Value
	case *ast.IntegerNode:
		out.value = integer(n.Value)
	case *ast.FloatNode:
		out.value = n.Value
	case *ast.LiteralNode:
		out.style = literalBlock
		if t.Type == token.FoldedType {
			out.style = foldedBlock
		}
		// The line break that ends a block is no part of what its author wanted to say.
		out.text = strings.TrimRight(n.Value.Value, "\n")
		out.value = out.text
	case *ast.StringNode:
		switch t.Type {
		case token.SingleQuoteType:
			out.style = singleQuoted
		case token.DoubleQuoteType:
			out.style = doubleQuoted
		}
	case *ast.InfinityNode, *ast.NanNode:
		p.report(out.at, "no number that a flow can hold", "quote it if it is a text")
	default:
		p.report(out.at, "not possible in a flow", "")
	}
	return out
}

// integer returns the parser's integer as an int, or a float where it is larger than any int.
func integer(value any) any {
	switch v := value.(type) {
	case int64:
		return int(v)
	case uint64:
		if v <= 1<<63-1 {
			return int(v)
		}
		return float64(v)
	}
	return value
}
