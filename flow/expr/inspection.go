package expr

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/wactor/wactor/flow/source"
	"github.com/wactor/wactor/flow/zone"
)

// inspection looks through one expression: what it reads, so that a step makes only what is used,
// and what is refused in it. The compiler hands it every element, children first.
type inspection struct {
	roots  map[string]bool
	raw    bool
	reads  []read
	nested map[*ast.PredicateNode]int
	// looks counts the dear operations; repeated says that an iteration has one, or another
	// iteration.
	looks    int
	repeated bool
	flaw     *flaw
}

// read is the use of one variable: vars.name.
type read struct {
	name string
	at   int
}

// flaw is what an expression may not do.
type flaw struct {
	at              int
	message, remedy string
}

func newInspection() *inspection {
	return &inspection{roots: map[string]bool{}, nested: map[*ast.PredicateNode]int{}}
}

// Visit implements ast.Visitor.
func (i *inspection) Visit(node *ast.Node) {
	if dear(*node) {
		i.looks++
	}
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		i.identifier(n)
	case *ast.MemberNode:
		i.member(n)
	case *ast.CallNode:
		i.call(n)
	case *ast.BinaryNode:
		i.binary(n)
	case *ast.PredicateNode:
		i.predicate(n)
	}
}

func (i *inspection) identifier(n *ast.IdentifierNode) {
	i.roots[n.Value] = true
	if strings.HasPrefix(n.Value, "$") {
		i.reject(n, n.Value+" is not possible in a flow", "name what you need: vars, user, message")
	}
}

func (i *inspection) member(n *ast.MemberNode) {
	name, ok := n.Property.(*ast.StringNode)
	if !ok {
		return
	}
	if name.Value == "Local" && n.Method {
		i.reject(n.Property, "the zone of the machine is not the same everywhere",
			`write .In(timezone("Europe/Berlin"))`)
	}
	if kind := n.Type(); !n.Method && kind != nil && kind.Kind() == reflect.Func {
		// Its text would be an address in memory, another one in every process.
		i.reject(n.Property, name.Value+" is named and not called", "write () behind it")
	}
	root, ok := n.Node.(*ast.IdentifierNode)
	switch {
	case ok && root.Value == "vars":
		i.reads = append(i.reads, read{name: name.Value, at: n.Property.Location().From})
	case ok && root.Value == "message" && name.Value == "raw":
		i.raw = true
	}
}

// call checks the zone that timezone and date name.
func (i *inspection) call(n *ast.CallNode) {
	function, ok := n.Callee.(*ast.IdentifierNode)
	if !ok || len(n.Arguments) == 0 || function.Value == "date" && len(n.Arguments) < 3 {
		return
	}
	name, ok := n.Arguments[len(n.Arguments)-1].(*ast.StringNode)
	if !ok || function.Value != "timezone" && function.Value != "date" {
		return
	}
	if _, err := zone.Load(name.Value); err != nil {
		i.reject(name, "there is no time zone "+name.Value, "a name such as Europe/Berlin")
	}
}

func (i *inspection) binary(n *ast.BinaryNode) {
	from, fromOK := n.Left.(*ast.IntegerNode)
	to, toOK := n.Right.(*ast.IntegerNode)
	if n.Operator == ".." && fromOK && toOK && to.Value-from.Value > maxRange {
		i.reject(n, fmt.Sprintf("a range of more than %d numbers", maxRange), "")
	}
}

// predicate counts how deep predicates are nested.
func (i *inspection) predicate(n *ast.PredicateNode) {
	inner := &predicates{of: i}
	ast.Walk(&n.Node, inner)
	i.nested[n] = inner.deepest + 1
	i.repeated = i.repeated || inner.deepest > 0 || inner.dear
	if inner.deepest+1 > maxNested {
		i.reject(n, fmt.Sprintf("more than %d predicates inside each other", maxNested),
			"set a variable with a part of it first")
	}
}

type predicates struct {
	of      *inspection
	deepest int
	dear    bool
}

// Visit implements ast.Visitor.
func (p *predicates) Visit(node *ast.Node) {
	p.dear = p.dear || dear(*node)
	if n, ok := (*node).(*ast.PredicateNode); ok {
		p.deepest = max(p.deepest, p.of.nested[n])
	}
}

func (i *inspection) reject(n ast.Node, message, remedy string) {
	if i.flaw == nil {
		i.flaw = &flaw{at: n.Location().From, message: message, remedy: remedy}
	}
}

// metered reports whether the expression's work has to be measured while it runs.
func (i *inspection) metered() bool { return i.repeated || i.looks > fewLooks }

// units is what the expression takes of a turn's budget whenever it runs: one that looks through
// something takes as much as makes the budget look at the clock.
func (i *inspection) units() int {
	if i.looks > 0 || len(i.nested) > 0 {
		return askEvery
	}
	return 1
}

// Usage is what all expressions of a flow read.
type Usage struct {
	User, Message, Raw bool
	// Metered says that some expression can work long, so that a budget is needed.
	Metered bool
	reads   []variableRead
}

type variableRead struct {
	name string
	at   source.Place
}

func (u *Usage) add(e *Expression, seen *inspection) {
	u.User = u.User || seen.roots["user"]
	u.Message = u.Message || seen.roots["message"]
	u.Raw = u.Raw || seen.raw
	for _, r := range seen.reads {
		u.reads = append(u.reads, variableRead{name: r.name, at: e.place(r.at)})
	}
}
