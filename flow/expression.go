package flow

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
)

// expression is a compiled expression and the place where it is written.
type expression struct {
	program *vm.Program
	source  *source
	node    *node
	// offset is where it starts in the node's text, in characters.
	offset int
}

func (e *expression) place(offset int) place { return e.source.locate(e.node, e.offset+offset) }

// failedAt returns the place in the flow of an error of the compiler or of a run.
func (e *expression) failedAt(err error) place {
	var located *file.Error
	if errors.As(err, &located) {
		return e.place(located.From)
	}
	return e.place(0)
}

// scope says which names an expression can see besides the usual ones.
type scope int

const (
	usual scope = iota
	// validating adds value: the answer that is checked.
	validating
	// expecting adds status and body: of a service's answer.
	expecting
)

// roots are the names that expressions see, with their types. A name that is not here does not
// compile.
var roots = map[scope]types.Map{
	usual:      rootsWith(nil),
	validating: rootsWith(types.Map{"value": types.Any}),
	expecting:  rootsWith(types.Map{"status": types.Int, "body": types.Any}),
}

func rootsWith(more types.Map) types.Map {
	all := types.Map{
		"vars": types.Map{types.Extra: types.Any},
		"user": types.Map{"id": types.String, "wa_id": types.String, "user_id": types.String, "name": types.String},
		"message": types.Map{
			"id": types.String, "type": types.String, "text": types.String, "context_id": types.String,
			"sent": types.TypeOf(time.Time{}), "late": types.Bool, "raw": types.Any,
			"choice": types.Map{"id": types.String, "title": types.String, "description": types.String},
			"media": types.Map{
				"type": types.String, "id": types.String, "mime_type": types.String, "sha256": types.String,
				"filename": types.String, "caption": types.String, "voice": types.Bool,
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
	}
	maps.Copy(all, more)
	return all
}

// expression compiles a part of a node's text; nil and a problem where it does not compile. Start
// counts bytes.
func (p *checker) expression(n *node, start int, code string, in scope, options ...expr.Option) *expression {
	e := &expression{source: p.source, node: n, offset: utf8.RuneCountInString(n.text[:start])}
	switch {
	case strings.TrimSpace(code) == "":
		p.report(e.place(0), "an expression is empty", "")
		return nil
	case len(code) > MaxExpression:
		p.report(e.place(0), fmt.Sprintf("an expression is longer than %d bytes", MaxExpression), "")
		return nil
	}
	seen := newInspection()
	all := append([]expr.Option{
		expr.Env(roots[in]), expr.MaxNodes(maxNodes), expr.Patch(seen),
	}, append(options, functions...)...)
	program, err := compile(code, all)
	p.used.add(e, seen)
	if seen.flaw != nil {
		p.report(e.place(seen.flaw.at), seen.flaw.message, seen.flaw.remedy)
		return nil
	}
	if err != nil {
		p.badExpression(e, err, in)
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
