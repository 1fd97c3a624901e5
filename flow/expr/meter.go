package expr

import (
	"reflect"

	"github.com/expr-lang/expr/ast"
)

// meter puts the budget's function where an expression's work depends on values: into each
// iteration, around what makes or looks through a text or a list, and in place of the sum of two
// texts. The compiler hands it every element, children first.
//
// It leaves alone what inspection found to be short whatever the values are: one look through each
// of a few lists or texts, which is what nearly every expression does.
type meter struct{ seen *inspection }

// fewLooks is how many dear operations an expression may have that is not metered.
const fewLooks = 8

// Visit implements ast.Visitor.
func (m *meter) Visit(node *ast.Node) {
	if !m.seen.metered() {
		return
	}
	switch n := (*node).(type) {
	case *ast.PredicateNode:
		body := n.Node
		n.Node = &ast.SequenceNode{Nodes: []ast.Node{meterCall(opTick), body}}
		n.Node.SetType(body.Type())
		n.Node.SetLocation(body.Location())
	case *ast.BuiltinNode:
		m.function(node, n.Name, n.Arguments)
	case *ast.CallNode:
		if function, ok := n.Callee.(*ast.IdentifierNode); ok {
			m.function(node, function.Value, n.Arguments)
		}
	case *ast.BinaryNode:
		m.binary(node, n)
	}
}

// dear reports whether an element looks through a text or a list.
func dear(node ast.Node) bool {
	switch n := node.(type) {
	case *ast.BuiltinNode:
		return weighed[n.Name] || looking[n.Name]
	case *ast.CallNode:
		function, ok := n.Callee.(*ast.IdentifierNode)
		return ok && (weighed[function.Value] || looking[function.Value])
	case *ast.BinaryNode:
		switch n.Operator {
		case "+":
			return mayBeText(n.Left) && mayBeText(n.Right)
		case "==", "!=":
			return composite(n.Left) && composite(n.Right)
		case "in":
			return named(n.Right)
		case "matches", "contains":
			return true
		}
	}
	return false
}

// named reports whether a value is not written out in the expression.
func named(n ast.Node) bool {
	switch n.(type) {
	case *ast.MemberNode, *ast.IdentifierNode:
		return true
	}
	return false
}

// weighed are the functions whose results are weighed: what they make is as large as their work.
var weighed = map[string]bool{
	"concat": true, "flatten": true, "fromBase64": true, "fromJSON": true, "fromPairs": true, "join": true,
	"keys": true, "lower": true, "replace": true, "reverse": true, "sort": true, "split": true, "splitAfter": true,
	"string": true, "take": true, "toBase64": true, "toJSON": true, "toPairs": true, "trim": true,
	"trimPrefix": true, "trimSuffix": true, "uniq": true, "upper": true, "values": true,
}

// looking are the functions whose first argument is weighed: they look through all of it.
var looking = map[string]bool{
	"fromJSON": true, "groupBy": true, "max": true, "mean": true, "median": true, "min": true, "sum": true,
	"toJSON": true, "uniq": true,
}

func (m *meter) function(node *ast.Node, name string, arguments []ast.Node) {
	if looking[name] && len(arguments) > 0 {
		weigh(&arguments[0], opWeigh)
	}
	if weighed[name] {
		weigh(node, opWeigh)
	}
}

func (m *meter) binary(node *ast.Node, n *ast.BinaryNode) {
	if !dear(n) {
		return
	}
	switch n.Operator {
	case "+": // a + b + c is one sum
		terms := []ast.Node{n.Left, n.Right}
		if sum, ok := n.Left.(*ast.CallNode); ok && isSum(sum) {
			terms = append(sum.Arguments[1:], n.Right)
		}
		ast.Patch(node, meterCall(opAdd, terms...))
	case "==", "!=":
		weigh(&n.Left, opWeigh)
		weigh(&n.Right, opWeigh)
	case "in":
		weigh(&n.Right, opWeigh)
	case "matches":
		weigh(&n.Left, opSearch)
	case "contains":
		weigh(&n.Left, opWeigh)
	}
}

func isSum(n *ast.CallNode) bool {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok || callee.Value != meterName {
		return false
	}
	op, ok := n.Arguments[0].(*ast.IntegerNode)
	return ok && op.Value == opAdd
}

func weigh(node *ast.Node, by int) { ast.Patch(node, meterCall(by, *node)) }

// meterCall returns a call of the budget's function.
func meterCall(op int, arguments ...ast.Node) *ast.CallNode {
	callee := &ast.IdentifierNode{Value: meterName}
	callee.SetType(meterType)
	number := &ast.IntegerNode{Value: op}
	number.SetType(reflect.TypeFor[int]())
	return &ast.CallNode{Callee: callee, Arguments: append([]ast.Node{number}, arguments...)}
}

// mayBeText reports whether the type of a value leaves it open that it is a text.
func mayBeText(n ast.Node) bool {
	switch t := n.Type(); {
	case t == nil, t.Kind() == reflect.Interface, t.Kind() == reflect.String:
		_, isNil := n.(*ast.NilNode)
		return !isNil
	}
	return false
}

// composite reports whether a value may be a list or a map.
func composite(n ast.Node) bool {
	switch n.(type) {
	case *ast.NilNode, *ast.StringNode, *ast.IntegerNode, *ast.BoolNode, *ast.FloatNode:
		return false
	}
	switch t := n.Type(); {
	case t == nil:
		return true
	default:
		return t.Kind() == reflect.Interface || t.Kind() == reflect.Slice || t.Kind() == reflect.Map
	}
}
