package definition

import (
	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
)

// back stops where the conversation waited before this turn: a trigger or a handler answers, and
// the question that was open is put again.
type back struct{}

func readBack(p *parser, _ *Step, n *source.Node) Part {
	p.Yes(n, "back")
	return back{}
}

// Run implements Part.
func (back) Run(r *run.Run) (*Step, error) {
	r.GoBack()
	return nil, nil
}

// Ways implements Part.
func (back) Ways() []Way { return nil }

// checkBack reports ways to a back from where there is nothing to go back to: from the start, and
// behind a stop of its own, after which the question that was open before is forgotten.
func checkBack(p *parser, start *Target) {
	backs := map[*Step]bool{}
	for changed := true; changed; {
		changed = false
		for _, s := range p.order {
			if !backs[s] && leadsBack(s, backs) {
				backs[s], changed = true, true
			}
		}
	}
	report := func(t *Target) {
		if t != nil && backs[t.Step] {
			p.Report(t.at, "step "+t.name+" leads to back, which only follows a trigger or a handler",
				"name the step to go to")
		}
	}
	report(start)
	for _, s := range p.order {
		for _, w := range s.Ways() {
			if !w.Now {
				report(w.To)
			}
		}
	}
}

// leadsBack reports whether a step goes back, or to a step that does, in the same turn.
func leadsBack(s *Step, backs map[*Step]bool) bool {
	if _, ok := s.exit().(back); ok {
		return true
	}
	for _, w := range s.Ways() {
		if w.Now && w.To != nil && backs[w.To.Step] {
			return true
		}
	}
	return false
}
