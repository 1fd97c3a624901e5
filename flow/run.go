package flow

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/wactor/wactor/flow/value"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// run is one run of a flow: what a turn has made so far.
type run struct {
	flow *Flow
	in   Input
	vars map[string]any
	// env is what expressions see; its vars are the run's.
	env     map[string]any
	machine vm.VM
	scratch []byte

	step    *step // under way
	entered int
	calls   int
	replies []*wactorv1.Reply
	notes   string
	at      position
	ended   bool
	pending *Call
}

func newRun(f *Flow, in Input, vars map[string]any) *run {
	r := &run{flow: f, in: in, vars: vars}
	r.machine.MemoryBudget = memoryBudget
	r.env = map[string]any{"vars": vars, "now": in.Now.UTC(), "version": int(in.Version), "error": "",
		"window_open": !in.WindowClosed}
	if f.uses.user {
		r.env["user"] = userValue(in.User)
	}
	if f.uses.message {
		r.env["message"] = messageValue(in.Message, f.uses.raw)
	}
	return r
}

func (r *run) stopAt(at position) { r.at = at }

// note adds to the journal's note of the turn.
func (r *run) note(text string) {
	switch {
	case text == "":
	case r.notes == "":
		r.notes = text
	default:
		r.notes += "; " + text
	}
}

// set sets a variable to what its construct makes.
func (r *run) set(a assignment) error {
	v, err := a.value.build(r)
	if err != nil {
		return err
	}
	if a.value.expr != nil { // within the limits of a value already
		r.vars[a.name] = v
		return nil
	}
	return r.assign(r.step.at, a.name, v)
}

// assign sets a variable.
func (r *run) assign(at place, name string, made any) error {
	v, err := value.Normalise(made)
	if err != nil {
		return r.fail(at, fmt.Sprintf("variable %s: %v", name, err), err)
	}
	r.vars[name] = v
	return nil
}

// eval runs an expression.
func (r *run) eval(e *expression) (any, error) {
	value, err := r.machine.Run(e.program, r.env)
	if err != nil {
		return nil, r.fail(e.failedAt(err), "the expression failed: "+safeReason(err), err)
	}
	return value, nil
}

// value runs an expression whose result is to be kept.
func (r *run) value(e *expression) (any, error) {
	v, err := r.eval(e)
	if err != nil {
		return nil, err
	}
	if v, err = value.Normalise(v); err != nil {
		return nil, r.fail(e.place(0), err.Error(), err)
	}
	return v, nil
}

// holds runs a condition. Nothing counts as false; what is neither true nor false nor nothing fails
// in the machine, by asBool.
func (r *run) holds(e *expression) (bool, error) {
	value, err := r.eval(e)
	holds, _ := value.(bool)
	return holds, err
}

// asBool makes the compiler refuse what can never be true or false.
var asBool = expr.AsBool()

// RunError is a run that failed: where in the flow, and why. Its text holds nothing that a user
// wrote.
type RunError struct {
	File, Step   string
	Line, Column int
	Reason       string
	// Retryable: the same run may succeed later, because a service that it calls may.
	Retryable bool

	cause error
}

func (e *RunError) Error() string {
	return fmt.Sprintf("flow: %s:%d:%d: step %s: %s", e.File, e.Line, e.Column, e.Step, e.Reason)
}

// Unwrap returns the whole cause. It may hold texts of the user: show it to the author who tries a
// flow, never to a log.
func (e *RunError) Unwrap() error { return e.cause }

func (r *run) fail(at place, reason string, cause error) error {
	e := &RunError{Line: at.line, Column: at.column, Reason: reason, cause: cause, File: r.flow.file}
	if r.step != nil {
		e.Step = r.step.name
	}
	return e
}

// safeReason says why an expression failed, as far as that can be said without a value: the
// machine's messages may quote what the user wrote.
func safeReason(err error) string {
	var located *file.Error
	if !errors.As(err, &located) {
		return "unknown reason"
	}
	message := located.Message
	for _, known := range []struct{ prefix, reason string }{
		{"memory budget exceeded", "it builds too much"},
		{"integer divide by zero", "division by zero"},
		{"index out of range", "an index is out of range"},
		{"invalid operation: bool(", "it says neither true nor false"},
		{"cannot fetch", "a part of nothing, or of something that has no parts"},
	} {
		if strings.HasPrefix(message, known.prefix) || strings.HasPrefix(message, "runtime error: "+known.prefix) {
			return known.reason
		}
	}
	if operands, ok := strings.CutPrefix(message, "invalid operation: "); ok {
		return operandTypes(operands)
	}
	return "a value of the wrong kind"
}

// typeNames are the types that the machine names in "invalid operation: int + string", as an author
// knows them.
var typeNames = map[string]string{
	"int": "int", "float64": "float", "string": "string", "bool": "bool", "<nil>": "nil", "[]any": "list",
	"map[string]any": "map", "time.Time": "time", "time.Duration": "duration",
}

// operandTypes returns the operands of an operation that does not exist, if all it names are types.
func operandTypes(operands string) string {
	parts := strings.Fields(strings.ReplaceAll(operands, "interface {}", "any"))
	if len(parts) != 3 || typeNames[parts[0]] == "" || typeNames[parts[2]] == "" || len(parts[1]) > 2 {
		return "a value of the wrong kind"
	}
	return fmt.Sprintf("%s %s %s is not possible", typeNames[parts[0]], parts[1], typeNames[parts[2]])
}
