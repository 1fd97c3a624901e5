package source

// Node is a value of the YAML document with its place. The parser's own tree ends here: all else
// reads nodes.
type Node struct {
	Kind Kind
	At   Place
	// Text is a scalar as a text, Value the same as what YAML takes it for: string, int, float64,
	// bool or nil.
	Text  string
	Value any
	// Items are those of a list, Pairs those of a map.
	Items []*Node
	Pairs []Pair

	style style
	file  file
}

// Pair is one key of a map and what stands behind it. At is the place of the key.
type Pair struct {
	Key   string
	At    Place
	Value *Node
}

// Kind says which of its fields a Node has.
type Kind int

// The kinds of nodes.
const (
	Scalar Kind = iota
	Null
	List
	Map
)

// String returns the kind as an author knows it, such as "a list".
func (k Kind) String() string { return [...]string{"a text", "nothing", "a list", "a map"}[k] }

// Escapes reports whether a backslash in the scalar's source is an escape, such as \n.
func (n *Node) Escapes() bool { return n.style == doubleQuoted }

// Plain returns the node as nested maps and lists of its scalars' values.
func (n *Node) Plain() any {
	switch n.Kind {
	case List:
		list := make([]any, len(n.Items))
		for i, item := range n.Items {
			list[i] = item.Plain()
		}
		return list
	case Map:
		object := make(map[string]any, len(n.Pairs))
		for _, pair := range n.Pairs {
			object[pair.Key] = pair.Value.Plain()
		}
		return object
	}
	return n.Value
}
