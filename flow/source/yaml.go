package source

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

// maxSource is how large a flow may be, in bytes.
const maxSource = 256 << 10

// Document parses the YAML of the file; nil where it is none, which was reported. Anchors, aliases,
// tags and merge keys are not possible: a flow needs none, and a few lines of aliases can unfold to
// gigabytes.
func (r *Reader) Document() *Node {
	text := r.text
	switch {
	case len(text) > maxSource:
		r.Report(Place{1, 1}, fmt.Sprintf("the flow is larger than %d KiB", maxSource>>10), "")
		return nil
	case !utf8.ValidString(text):
		r.Report(Place{1, 1}, "the flow is not UTF-8", "")
		return nil
	}
	tokens := lexer.Tokenize(text)
	if !r.plainTokens(tokens) {
		return nil
	}
	file, err := parseTokens(tokens)
	if err != nil {
		r.syntax(err)
		return nil
	}
	var body ast.Node
	for i, doc := range file.Docs {
		if i > 0 && doc.Body != nil {
			r.Report(placeOf(doc.Body.GetToken()), "a second document", "one file is one flow")
			return nil
		}
		body = doc.Body
	}
	if body == nil {
		r.Report(Place{1, 1}, "the flow is empty", "")
		return nil
	}
	return r.convert(body, 1)
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

// plainTokens reports what no flow needs before the parser meets it, and nesting that would exhaust
// its stack.
func (r *Reader) plainTokens(tokens token.Tokens) bool {
	depth, dashes, before := 0, 0, len(r.problems)
	for _, t := range tokens {
		if t.Type != token.SequenceEntryType {
			dashes = 0
		}
		switch t.Type {
		case token.AnchorType, token.AliasType:
			r.Report(placeOf(t), "anchors and aliases are not possible in a flow",
				"quote a text that starts with & or *")
		case token.TagType:
			r.Report(placeOf(t), "tags are not possible in a flow", "quote a text that starts with !")
		case token.MergeKeyType:
			r.Report(placeOf(t), "merge keys are not possible in a flow", "")
		case token.MappingKeyType:
			r.Report(placeOf(t), "keys with ? are not possible in a flow", "quote a text that starts with ?")
		case token.DirectiveType:
			r.Report(placeOf(t), "directives are not possible in a flow", "quote a text that starts with %")
		case token.SequenceEntryType:
			dashes++
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		if depth > value.MaxDepth || dashes > value.MaxDepth {
			r.Report(placeOf(t), fmt.Sprintf("nested deeper than %d levels", value.MaxDepth), "")
			return false
		}
	}
	return len(r.problems) == before
}

func (r *Reader) syntax(err error) {
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) || syntax.Token == nil {
		r.Report(Place{1, 1}, "not YAML", "")
		return
	}
	remedy := ""
	at := placeOf(syntax.Token)
	if line := string(r.file.line(at.Line)); strings.Contains(line, "{{") {
		remedy = "put a text with {{ }} in quotes"
	}
	r.Report(at, "not YAML: "+syntax.Message, remedy)
}

func placeOf(t *token.Token) Place {
	if t == nil || t.Position == nil {
		return Place{1, 1}
	}
	return Place{Line: max(t.Position.Line, 1), Column: max(t.Position.Column, 1)}
}

// convert makes nodes of the parser's tree.
func (r *Reader) convert(n ast.Node, depth int) *Node {
	if depth > value.MaxDepth {
		r.Report(placeOf(n.GetToken()), fmt.Sprintf("nested deeper than %d levels", value.MaxDepth), "")
		return &Node{file: r.file, Kind: Null, At: placeOf(n.GetToken())}
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return r.convertMap(n, n.Values, depth)
	case *ast.MappingValueNode:
		return r.convertMap(n, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		list := &Node{file: r.file, Kind: List, At: placeOf(n.GetToken())}
		for _, item := range n.Values {
			list.Items = append(list.Items, r.convert(item, depth+1))
		}
		return list
	}
	return r.convertScalar(n)
}

func (r *Reader) convertMap(n ast.Node, values []*ast.MappingValueNode, depth int) *Node {
	out := &Node{file: r.file, Kind: Map, At: placeOf(n.GetToken())}
	for i, value := range values {
		key := value.Key.GetToken()
		at := placeOf(key)
		if i == 0 && key.Position.Line <= out.At.Line && key.Position.Column < out.At.Column {
			out.At = at // the parser places a block map at its first colon
		}
		out.Pairs = append(out.Pairs, Pair{Key: key.Value, At: at, Value: r.convert(value.Value, depth+1)})
	}
	return out
}

func (r *Reader) convertScalar(n ast.Node) *Node {
	t := n.GetToken()
	out := &Node{file: r.file, Kind: Scalar, At: placeOf(t), Text: t.Value, Value: t.Value}
	switch n := n.(type) {
	case *ast.NullNode:
		out.Kind, out.Value = Null, nil
	case *ast.BoolNode:
		out.Value = n.Value
	case *ast.IntegerNode:
		out.Value = integer(n.Value)
	case *ast.FloatNode:
		out.Value = n.Value
	case *ast.LiteralNode:
		out.style = literalBlock
		if t.Type == token.FoldedType {
			out.style = foldedBlock
		}
		// The line break that ends a block is no part of what its author wanted to say.
		out.Text = strings.TrimRight(n.Value.Value, "\n")
		out.Value = out.Text
	case *ast.StringNode:
		switch t.Type {
		case token.SingleQuoteType:
			out.style = singleQuoted
		case token.DoubleQuoteType:
			out.style = doubleQuoted
		}
	case *ast.InfinityNode, *ast.NanNode:
		r.Report(out.At, "no number that a flow can hold", "quote it if it is a text")
	default:
		r.Report(out.At, "not possible in a flow", "")
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
