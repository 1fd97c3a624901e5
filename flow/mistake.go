package flow

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
)

// knownMistakes are messages of the compiler that a flow's author can be told better.
var knownMistakes = []struct{ contains, message, remedy string }{
	{"time.Time is not callable", "now is a value and no function", "write now without ()"},
	{"unexpected token EOF", "the expression ends too early", "something is missing behind it, or a bracket is open"},
	{"time.Weekday", "a weekday is no number", "write int(now.Weekday()); Sunday is 0"},
	{"time.Month", "a month is no number", "write int(now.Month()); January is 1"},
	{"expected bool, but got", "the expression must say true or false", "compare with something"},
}

// badExpression reports why an expression does not compile.
func (p *checker) badExpression(e *expression, err error, in scope) {
	at, message := e.failedAt(err), ""
	var located *file.Error
	if errors.As(err, &located) {
		message = located.Message
	} else {
		message, _, _ = strings.Cut(err.Error(), "\n")
	}
	for _, known := range knownMistakes {
		if strings.Contains(message, known.contains) {
			p.report(at, known.message, known.remedy)
			return
		}
	}
	if name, unknown := strings.CutPrefix(message, "unknown name "); unknown {
		p.unknownNames = append(p.unknownNames, unknownName{name: name, at: at, in: in})
		return
	}
	remedy := ""
	if name, unknown := strings.CutPrefix(message, "unknown field "); unknown {
		remedy = remedyFor(name, parts())
	}
	p.report(at, message, remedy)
}

// parts are the names of what user and message have.
func parts() []string {
	var names []string
	for _, root := range []string{"user", "message"} {
		fields := roots[usual][root].(types.Map)
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
	at   place
	in   scope
}

func (p *checker) reportUnknownNames() {
	variables := slices.Sorted(maps.Keys(p.variables))
	for _, u := range p.unknownNames {
		names := slices.Sorted(maps.Keys(roots[u.in]))
		remedy := remedyFor(u.name, names)
		switch near := suggest(u.name, variables); {
		case p.variables[u.name]:
			remedy = "write vars." + u.name
		case near != "" && suggest(u.name, names) == "":
			remedy = "did you mean vars." + near + "?"
		}
		p.report(u.at, "unknown name "+u.name, remedy)
	}
}
