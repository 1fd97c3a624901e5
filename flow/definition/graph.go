package definition

import (
	"fmt"
	"slices"
	"strings"
)

// checkGraph reports steps that nothing leads to, and steps from which a turn can never come to a
// stop.
func checkGraph(p *parser, entries []*Target) {
	reached := map[*Step]bool{}
	var queue []*Step
	visit := func(t *Target) {
		if t != nil && t.Step != nil && !reached[t.Step] {
			reached[t.Step] = true
			queue = append(queue, t.Step)
		}
	}
	for _, t := range entries {
		visit(t)
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for _, w := range s.Ways() {
			visit(w.To)
		}
	}
	// A start that is missing makes every step unreachable: that one mistake is reported already.
	started := entries[0] != nil && entries[0].Step != nil
	for _, s := range p.order {
		if started && !reached[s] {
			p.Report(s.At, fmt.Sprintf("nothing leads to step %s", s.Name), "go to it from another step, or delete it")
		}
	}
	checkLoops(p)
}

// checkLoops finds endless loops: steps from which no way leads to a stop, whatever the switches
// say. A loop that a switch can leave is the author's business; the number of steps in a turn
// bounds it.
func checkLoops(p *parser) {
	stops := stopping(p)
	inLoop := map[*Step]bool{}
	for _, s := range p.order {
		if stops[s] || inLoop[s] {
			continue
		}
		loop := loopFrom(s, stops)
		if loop == nil {
			continue
		}
		for _, member := range loop {
			inLoop[member] = true
		}
		first := loop[0]
		p.Report(first.exitAt, "endless loop without waiting for the user: "+loopText(loop),
			"stop somewhere with ask, choices, wait or end")
	}
}

// stopping returns the steps from which a stop can be reached without a message of the user. A step
// with a mistake in its exit counts as one, so that the mistake is reported once.
func stopping(p *parser) map[*Step]bool {
	stops := map[*Step]bool{}
	for changed := true; changed; {
		changed = false
		for _, s := range p.order {
			if !stops[s] && s.comesToStop(stops) {
				stops[s], changed = true, true
			}
		}
	}
	return stops
}

func (s *Step) comesToStop(stops map[*Step]bool) bool {
	exit := s.exit()
	if exit == nil || !goesOn(exit) {
		return true
	}
	for _, w := range s.Ways() {
		if w.Now && (w.To == nil || w.To.Step == nil || stops[w.To.Step]) {
			return true
		}
	}
	return false
}

// goesOn reports whether an exit leads on in the same turn.
func goesOn(exit Part) bool {
	return slices.ContainsFunc(exit.Ways(), func(w Way) bool { return w.Now })
}

// loopFrom follows the first way out of each step until a step comes again, and returns the steps
// of that circle, in the order of the file from its first one; nil where a circle was reported that
// has the step as an approach.
func loopFrom(s *Step, stops map[*Step]bool) []*Step {
	var path []*Step
	for s != nil && !stops[s] {
		if i := slices.Index(path, s); i >= 0 {
			return rotate(path[i:])
		}
		path = append(path, s)
		s = s.exit().Ways()[0].To.Step
	}
	return nil
}

// rotate starts a circle at the step that comes first in the file.
func rotate(loop []*Step) []*Step {
	first := 0
	for i, s := range loop {
		if s.index < loop[first].index {
			first = i
		}
	}
	return append(slices.Clone(loop[first:]), loop[:first]...)
}

func loopText(loop []*Step) string {
	names := make([]string, 0, len(loop)+1)
	for _, s := range loop {
		names = append(names, s.Name)
	}
	return strings.Join(append(names, loop[0].Name), " -> ")
}
