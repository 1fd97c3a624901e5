package expr

import "github.com/wactor/wactor/flow/source"

// Construct makes a value: a literal, the result of an expression, a text, or a list or map of
// constructs.
type Construct struct {
	literal any
	expr    *Expression
	text    *Template
	list    []Construct
	fields  []field // in the order of the file, so that the same one fails first every time
}

type field struct {
	key   string
	value Construct
}

// Leaves says what a text inside a construct is.
type Leaves int

const (
	// Expressions: every text is an expression (set).
	Expressions Leaves = iota
	// Texts: every text may hold {{ expressions }} (call body); one that is a single {{ expression
	// }} keeps its type.
	Texts
)

// Construct reads a value that is made at run time.
func (c *Compiler) Construct(n *source.Node, in Leaves) Construct {
	switch n.Kind {
	case source.Null:
		return Construct{}
	case source.List:
		list := make([]Construct, len(n.Items))
		for i, item := range n.Items {
			list[i] = c.Construct(item, in)
		}
		return Construct{list: list}
	case source.Map:
		fields := make([]field, 0, len(n.Pairs))
		for pair := range c.Pairs(n) {
			fields = append(fields, field{key: pair.Key, value: c.Construct(pair.Value, in)})
		}
		return Construct{fields: fields}
	}
	if _, isText := n.Value.(string); !isText {
		return Construct{literal: c.Literal(n)}
	}
	if in == Expressions {
		return Construct{expr: c.expression(n, 0, n.Text, Usual)}
	}
	t := c.Template(n, "a value")
	if t != nil && t.single() != nil {
		return Construct{expr: t.single()}
	}
	return Construct{text: t}
}

// Kept reports whether what Build makes is within the limits of a value already.
func (c Construct) Kept() bool { return c.expr != nil }

// Build makes the value. The error is a *Failure.
func (c Construct) Build(e *Env) (any, error) {
	switch {
	case c.expr != nil:
		return e.Value(c.expr)
	case c.text != nil:
		return c.text.Expand(e)
	case c.list != nil:
		list := make([]any, len(c.list))
		for i, item := range c.list {
			v, err := item.Build(e)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	case c.fields != nil:
		fields := make(map[string]any, len(c.fields))
		for _, f := range c.fields {
			v, err := f.value.Build(e)
			if err != nil {
				return nil, err
			}
			fields[f.key] = v
		}
		return fields, nil
	}
	return c.literal, nil
}
