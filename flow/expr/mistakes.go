package expr

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"

	"github.com/wactor/wactor/flow/source"
	"github.com/wactor/wactor/internal/nearest"
)

// knownMistakes are messages of the compiler that a flow's author reads better in other words.
var knownMistakes = []struct{ contains, message, remedy string }{
	{"time.Time is not callable", "now is a value and no function", "write now without ()"},
	{"unexpected token EOF", "the expression ends too early", "something is missing behind it, or a bracket is open"},
	{"time.Weekday", "a weekday is no number", "write int(now.Weekday()); Sunday is 0"},
	{"time.Month", "a month is no number", "write int(now.Month()); January is 1"},
	{"expected bool, but got", "the expression must say true or false", "compare with something"},
}

// explain reports why an expression does not compile.
func (c *Compiler) explain(e *Expression, err error, in Scope) {
	at, message := e.failedAt(err), ""
	var located *file.Error
	if errors.As(err, &located) {
		message = located.Message
	} else {
		message, _, _ = strings.Cut(err.Error(), "\n")
	}
	for _, known := range knownMistakes {
		if strings.Contains(message, known.contains) {
			c.Report(at, known.message, known.remedy)
			return
		}
	}
	if name, unknown := strings.CutPrefix(message, "unknown name "); unknown {
		c.unknown = append(c.unknown, unknownName{name: name, at: at, in: in})
		return
	}
	remedy := ""
	if name, unknown := strings.CutPrefix(message, "unknown field "); unknown {
		remedy = source.RemedyFor(name, parts())
	}
	c.Report(at, message, remedy)
}

// parts are the names of what user and message have.
func parts() []string {
	var names []string
	for _, root := range []string{"user", "message"} {
		fields := roots[Usual][root].(types.Map)
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			names = append(names, name)
			if inner, ok := fields[name].(types.Map); ok {
				names = append(names, slices.Sorted(maps.Keys(inner))...)
			}
		}
	}
	return names
}

// unknownName is a name that an expression used and that means nothing. Its remedy waits until all
// variables are known.
type unknownName struct {
	name string
	at   source.Place
	in   Scope
}

// CheckNames reports names that mean nothing, and the reading of a variable that the flow never
// sets: a typing mistake, which would read as nil. It is called when all variables are known.
func (c *Compiler) CheckNames(variables map[string]bool) {
	known := slices.Sorted(maps.Keys(variables))
	for _, u := range c.unknown {
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(roots[u.in])), func(name string) bool {
			return strings.HasPrefix(name, "$")
		})
		remedy := source.RemedyFor(u.name, names)
		switch near := nearest.Word(u.name, known); {
		case variables[u.name]:
			remedy = "write vars." + u.name
		case near != "" && nearest.Word(u.name, names) == "":
			remedy = "did you mean vars." + near + "?"
		}
		c.Report(u.at, "unknown name "+u.name, remedy)
	}
	for _, r := range c.Used.reads {
		if variables[r.name] {
			continue
		}
		remedy := "set it in a step, or give it a first value in vars"
		if near := nearest.Word(r.name, known); near != "" {
			remedy = "did you mean vars." + near + "?"
		}
		c.Report(r.at, "nothing sets vars."+r.name, remedy)
	}
}
