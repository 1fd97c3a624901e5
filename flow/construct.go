package flow

// construct makes a value: a literal, the result of an expression, a text, or a list or map of
// constructs.
type construct struct {
	literal any
	expr    *expression
	text    *template
	list    []construct
	fields  []constructField // nil for what is no map
}

// constructField is a field of a map, made in the order in which the flow has them: of two that
// fail, the same one is reported whenever a turn is repeated.
type constructField struct {
	key   string
	value construct
}

// leaves says what a text inside a construct is.
type leaves int

const (
	// expressions: every text is an expression (set).
	expressions leaves = iota
	// texts: every text may hold {{ expressions }} (call body); one that is a single {{ expression
	// }} keeps its type.
	texts
)

func (p *checker) construct(n *node, in leaves) construct {
	switch n.kind {
	case nullNode:
		return construct{}
	case listNode:
		list := make([]construct, len(n.items))
		for i, item := range n.items {
			list[i] = p.construct(item, in)
		}
		return construct{list: list}
	case mapNode:
		fields := make([]constructField, 0, len(n.pairs))
		seen := map[string]field{}
		for _, pair := range n.pairs {
			if p.once(seen, pair) {
				fields = append(fields, constructField{pair.key, p.construct(pair.value, in)})
			}
		}
		return construct{fields: fields}
	}
	if _, isText := n.value.(string); !isText {
		return construct{literal: p.literal(n)}
	}
	if in == expressions {
		return construct{expr: p.expression(n, 0, n.text, usual)}
	}
	t := p.template(n, "a value")
	if t != nil && t.single() != nil {
		return construct{expr: t.single()}
	}
	return construct{text: t}
}

// build makes the value; errors name the step.
func (c construct) build(r *run) (any, error) {
	switch {
	case c.expr != nil:
		return r.value(c.expr)
	case c.text != nil:
		return c.text.expand(r)
	case c.list != nil:
		list := make([]any, len(c.list))
		for i, item := range c.list {
			value, err := item.build(r)
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	case c.fields != nil:
		fields := make(map[string]any, len(c.fields))
		for _, field := range c.fields {
			value, err := field.value.build(r)
			if err != nil {
				return nil, err
			}
			fields[field.key] = value
		}
		return fields, nil
	}
	return c.literal, nil
}
