package expr

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"github.com/wactor/wactor/flow/source"
)

// Expression is a compiled expression and the place where it is written.
type Expression struct {
	program *vm.Program
	node    *source.Node
	// offset is where it starts in the node's text, in characters.
	offset int
	units  int // what it takes of a turn's budget, apart from what is metered
}

func (e *Expression) place(offset int) source.Place { return e.node.Locate(e.offset + offset) }

// Text returns the expression as it is written; empty where it is nil.
func (e *Expression) Text() string {
	if e == nil || e.node == nil {
		return ""
	}
	return strings.TrimSpace(e.node.Text)
}

// failedAt returns the place in the flow of an error of the compiler or of a run.
func (e *Expression) failedAt(err error) source.Place {
	var located *file.Error
	if errors.As(err, &located) {
		return e.place(located.From)
	}
	return e.place(0)
}

// Scope says which names an expression can see.
type Scope int

// The scopes.
const (
	// Usual are the names that every expression sees.
	Usual Scope = iota
	// Validating adds value: the answer that is checked.
	Validating
	// Expecting adds status and body: of a service's answer.
	Expecting
)

// roots are the names that expressions see, with their types. A name that is not here does not
// compile.
var roots = map[Scope]types.Map{
	Usual:      rootsWith(nil),
	Validating: rootsWith(types.Map{"value": types.Any}),
	Expecting:  rootsWith(types.Map{"status": types.Int, "body": types.Any}),
}

func rootsWith(more types.Map) types.Map {
	all := types.Map{
		"vars": types.Map{types.Extra: types.Any},
		"user": types.Map{"id": types.String, "wa_id": types.String, "user_id": types.String, "name": types.String,
			"username": types.String},
		"message": types.Map{
			"id": types.String, "type": types.String, "text": types.String, "context_id": types.String,
			"sent": types.TypeOf(time.Time{}), "late": types.Bool, "raw": types.Any,
			"choice": types.Map{"id": types.String, "title": types.String, "description": types.String},
			"media": types.Map{
				"type": types.String, "id": types.String, "mime_type": types.String, "sha256": types.String,
				"filename": types.String, "caption": types.String, "voice": types.Bool, "url": types.String,
			},
			"location": types.Map{
				"latitude": types.Float64, "longitude": types.Float64, "name": types.String, "address": types.String,
			},
		},
		"now":     types.TypeOf(time.Time{}),
		"version": types.Int,
		"error":   types.String,
		// as far as is known
		"window_open": types.Bool,

		meterName: types.TypeOf(meterFunction),
	}
	maps.Copy(all, more)
	return all
}

// Limits of an expression.
const (
	// MaxExpression is how long one may be, in bytes; maxNodes bounds its syntax tree.
	MaxExpression = 4096
	maxNodes      = 1000
	// maxNested bounds predicates inside predicates (filter in map in ...): each level multiplies
	// the work.
	maxNested = 2
	// maxRange bounds a range written as two numbers. The compiler makes a constant of it, past the
	// memory budget.
	maxRange = 10_000
)

// Compiler reads the expressions of a flow, and remembers what they use.
type Compiler struct {
	*source.Reader
	// Used is what all expressions read.
	Used    Usage
	unknown []unknownName
}

// expression compiles a part of a node's text; nil and a problem where it does not compile. Start
// counts bytes.
func (c *Compiler) expression(n *source.Node, start int, code string, in Scope, options ...expr.Option) *Expression {
	e := &Expression{node: n, offset: utf8.RuneCountInString(n.Text[:start])}
	switch {
	case strings.TrimSpace(code) == "":
		c.Report(e.place(0), "an expression is empty", "")
		return nil
	case len(code) > MaxExpression:
		c.Report(e.place(0), fmt.Sprintf("an expression is longer than %d bytes", MaxExpression), "")
		return nil
	}
	seen := newInspection()
	all := append([]expr.Option{
		expr.Env(roots[in]), expr.MaxNodes(maxNodes), expr.Patch(seen), expr.Patch(&meter{seen}),
	}, append(options, functions...)...)
	program, err := compile(code, all)
	c.Used.add(e, seen)
	c.Used.Metered = c.Used.Metered || seen.metered()
	e.units = seen.units()
	if seen.flaw != nil {
		c.Report(e.place(seen.flaw.at), seen.flaw.message, seen.flaw.remedy)
		return nil
	}
	if err != nil {
		c.explain(e, err, in)
		return nil
	}
	e.program = program
	return e
}

// compile turns a panic of the compiler into an error.
func compile(code string, options []expr.Option) (program *vm.Program, err error) {
	defer func() {
		if recover() != nil {
			program, err = nil, errors.New("the expression cannot be compiled")
		}
	}()
	return expr.Compile(code, options...)
}

// Condition reads an expression that says yes or no; nil where it is none, which was reported.
func (c *Compiler) Condition(n *source.Node, what string, in Scope) *Expression {
	if n.Kind != source.Scalar {
		c.WrongKind(n, what, "an expression")
		return nil
	}
	if _, isText := n.Value.(string); !isText && n.Value != true && n.Value != false {
		c.Report(n.At, what+" must say true or false", "compare with something")
		return nil
	}
	return c.expression(n, 0, n.Text, in, asBool)
}

// asBool makes the compiler reject what can never be true or false.
var asBool = expr.AsBool()
