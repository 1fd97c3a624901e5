package expr

import (
	"errors"

	"github.com/expr-lang/expr/vm"

	"github.com/wactor/wactor/flow/source"
	"github.com/wactor/wactor/flow/value"
)

// memoryBudget bounds what one run of an expression builds: elements, and bytes of repeated texts.
const memoryBudget = 256 << 10

// Env is what expressions see while they run: names and their values. It is good for one turn, on
// one goroutine.
type Env struct {
	names   map[string]any
	machine vm.VM
	budget  budget
	scratch []byte // of Template.Expand
}

// NewEnv returns an environment of some names, which becomes its owner. What it runs is bounded by
// the steps of a turn and, where expired is given, by its time: expired is asked now and then, and
// reports whether the time is used up.
func NewEnv(names map[string]any, expired func() bool) Env {
	e := Env{names: names, budget: budget{left: maxWork, expired: expired}}
	e.machine.MemoryBudget = memoryBudget
	return e
}

// Meter lets expressions that are metered spend the budget. Until it is called e may be moved, not
// later.
func (e *Env) Meter() { e.names[meterName] = e.budget.meter }

// Set gives a name a value; Unset takes it away.
func (e *Env) Set(name string, v any) { e.names[name] = v }

// Unset takes a name away.
func (e *Env) Unset(name string) { delete(e.names, name) }

// Eval runs an expression. The error is a *Failure.
func (e *Env) Eval(x *Expression) (any, error) {
	err := e.budget.spend(x.units)
	var v any
	if err == nil {
		v, err = e.machine.Run(x.program, e.names)
	}
	if err != nil {
		// With more time, or on a node that is less busy, the same turn may succeed.
		return nil, &Failure{At: x.failedAt(err), Reason: "the expression failed: " + safeReason(err), Cause: err,
			Retryable: errors.Is(err, errTime)}
	}
	return v, nil
}

// Value runs an expression whose result is to be kept, and normalises it.
func (e *Env) Value(x *Expression) (any, error) {
	v, err := e.Eval(x)
	if err != nil {
		return nil, err
	}
	if v, err = value.Normalise(v); err != nil {
		return nil, Fail(x.place(0), err.Error(), err)
	}
	return v, nil
}

// Holds runs a condition. Nothing counts as false; what is neither true nor false nor nothing fails
// in the machine, by asBool.
func (e *Env) Holds(x *Expression) (bool, error) {
	v, err := e.Eval(x)
	holds, _ := v.(bool)
	return holds, err
}

// Failure is why a turn failed, and where in the flow. Reason holds nothing that a user wrote.
type Failure struct {
	At     source.Place
	Reason string
	// Retryable: the same turn may succeed later. NotReached, beside it: a service that was called
	// has seen nothing of the call.
	Retryable, NotReached bool
	// Cause may hold texts of the user.
	Cause error
}

// Fail returns a *Failure as an error; the cause may be nil.
func Fail(at source.Place, reason string, cause error) error {
	return &Failure{At: at, Reason: reason, Cause: cause}
}

// Error returns the reason.
func (f *Failure) Error() string { return f.Reason }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Cause }
