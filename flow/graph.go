package flow

import (
	"fmt"
	"slices"
	"strings"
)

// checkGraph reports steps that nothing leads to, and steps from which a turn can never come to a
// stop.
func (p *checker) checkGraph(entries []*target) {
	reached := map[*step]bool{}
	var queue []*step
	visit := func(t *target) {
		if t != nil && t.step != nil && !reached[t.step] {
			reached[t.step] = true
			queue = append(queue, t.step)
		}
	}
	for _, t := range entries {
		visit(t)
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for _, w := range s.ways() {
			visit(w.to)
		}
	}
	// A start that is missing makes every step unreachable: that one mistake is reported already.
	started := entries[0] != nil && entries[0].step != nil
	for _, s := range p.order {
		if started && !reached[s] {
			p.report(s.at, fmt.Sprintf("nothing leads to step %s", s.name), "go to it from another step, or delete it")
		}
	}
	p.checkLoops()
}

// checkLoops finds endless loops: steps from which no way leads to a stop, whatever the switches
// say. A loop that a switch can leave is the author's business; MaxStepsPerTurn bounds it.
func (p *checker) checkLoops() {
	stops := p.stopping()
	inLoop := map[*step]bool{}
	for _, s := range p.order {
		if stops[s] || inLoop[s] {
			continue
		}
		loop := p.loopFrom(s, stops)
		if loop == nil {
			continue
		}
		for _, member := range loop {
			inLoop[member] = true
		}
		first := loop[0]
		p.report(first.exitAt, "endless loop without waiting for the user: "+loopText(loop),
			"stop somewhere with ask, choices, wait or end")
	}
}

// stopping returns the steps from which a stop can be reached without a message of the user. A step
// with a mistake in its exit counts as one, so that the mistake is reported once.
func (p *checker) stopping() map[*step]bool {
	stops := map[*step]bool{}
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

func (s *step) comesToStop(stops map[*step]bool) bool {
	if s.exit == nil {
		return true
	}
	targets, goesOn := s.exit.goesOn()
	if !goesOn {
		return true
	}
	if s.call != nil && s.call.onError != nil {
		targets = append(targets, s.call.onError)
	}
	for _, t := range targets {
		if t == nil || t.step == nil || stops[t.step] {
			return true
		}
	}
	return false
}

// loopFrom follows the first way out of each step until a step comes again, and returns the steps
// of that circle, in the order of the file from its first one; nil where a circle was reported that
// has the step as an approach.
func (p *checker) loopFrom(s *step, stops map[*step]bool) []*step {
	var path []*step
	for s != nil && !stops[s] {
		if i := slices.Index(path, s); i >= 0 {
			return p.rotate(path[i:])
		}
		path = append(path, s)
		targets, _ := s.exit.goesOn()
		s = targets[0].step
	}
	return nil
}

// rotate starts a circle at the step that comes first in the file.
func (p *checker) rotate(loop []*step) []*step {
	first := 0
	for i, s := range loop {
		if s.index < loop[first].index {
			first = i
		}
	}
	return append(slices.Clone(loop[first:]), loop[:first]...)
}

func loopText(loop []*step) string {
	names := make([]string, 0, len(loop)+1)
	for _, s := range loop {
		names = append(names, s.name)
	}
	return strings.Join(append(names, loop[0].name), " -> ")
}
