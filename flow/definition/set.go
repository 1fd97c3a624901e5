package definition

import (
	"github.com/wactor/wactor/flow/expr"
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
)

// set gives variables values.
type set struct {
	at          source.Place // of the step
	assignments []assignment
}

type assignment struct {
	name  string
	value expr.Construct
}

func readSet(p *parser, s *Step, n *source.Node) Part {
	if n.Kind != source.Map {
		p.WrongKind(n, "set", "a map")
		return nil
	}
	out := set{at: s.At}
	for pair := range p.Pairs(n) {
		p.define(pair.Key, pair.At)
		p.assigned[pair.Key] = true
		out.assignments = append(out.assignments,
			assignment{name: pair.Key, value: p.Construct(pair.Value, expr.Expressions)})
	}
	return out
}

// Run implements Part.
func (s set) Run(r *run.Run) (*Step, error) {
	for _, a := range s.assignments {
		v, err := a.value.Build(&r.Env)
		switch {
		case err != nil:
			return nil, err
		case a.value.Kept():
			r.Vars[a.name] = v
			continue
		}
		if err := r.Assign(s.at, a.name, v); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// Ways implements Part.
func (set) Ways() []Way { return nil }
