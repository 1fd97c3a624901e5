package flow

import "fmt"

// step is one step of a flow. What it has runs in this order: set, call, say, media, location, then
// the one exit.
type step struct {
	name  string
	index int
	at    place
	set   []assignment
	call  *call
	say   []message
	exit  exit
	// exitKey names the exit, exitAt is where it is written.
	exitKey string
	exitAt  place
}

// assignment sets a variable.
type assignment struct {
	name  string
	value construct
}

// exit is how a step ends.
type exit interface {
	// leave returns the step that comes next in this turn; nil where the run stops, having said so
	// to the run.
	leave(r *run) (*step, error)
	// goesOn returns the steps that may come next in the same turn; false where it stops.
	goesOn() (next []*target, ok bool)
	// ways returns all ways out, in the order in which they are written.
	ways() []way
}

// question is an exit that waits for an answer.
type question interface {
	// answer takes the message of the turn; like leave.
	answer(r *run, tries int) (*step, error)
}

var exitKeys = []string{"goto", "switch", "ask", "choices", "wait", "end", "handoff"}

var stepKeys = append([]string{"set", "call", "say", "media", "location"}, exitKeys...)

func (p *checker) parseSteps(n *node) {
	if n == nil {
		return
	}
	if n.kind != mapNode {
		p.wrongKind(n, "steps", "a map")
		return
	}
	seen := map[string]field{}
	for _, pair := range n.pairs {
		if !p.once(seen, pair) {
			continue
		}
		if !isName(pair.key, true) {
			p.report(pair.at, fmt.Sprintf("%s is no name for a step", pair.key),
				fmt.Sprintf("letters, digits, _ and -, a letter first, at most %d", MaxName))
		}
		s := &step{name: pair.key, at: pair.at, index: len(p.order)}
		p.steps[s.name] = s
		p.order = append(p.order, s)
		p.parseStep(s, pair.value)
	}
}

func (p *checker) parseStep(s *step, n *node) {
	f, ok := p.fields(n, "step "+s.name, stepKeys...)
	if !ok {
		return
	}
	s.set = p.assignments(f.get("set"))
	if f.has("call") {
		s.call = p.call(f.get("call"))
	}
	s.say = p.say(f.get("say"))
	if f.has("media") {
		s.say = append(s.say, p.media(f.get("media"), "media"))
	}
	if f.has("location") {
		s.say = append(s.say, p.location(f.get("location")))
	}
	p.parseExit(s, f)
}

func (p *checker) parseExit(s *step, f fields) {
	var key string
	for _, k := range exitKeys {
		if !f.has(k) {
			continue
		}
		if key != "" {
			first, second := f.values[key], f.values[k]
			at := second.at
			if at.line < first.at.line {
				at = first.at
			}
			p.report(at, fmt.Sprintf("step %s has both %s and %s", s.name, key, k), exitRemedy(key, k))
			return
		}
		key = k
	}
	if key == "" {
		p.report(s.at, fmt.Sprintf("step %s does not say what comes next", s.name),
			"end it with goto, switch, ask, choices, wait, handoff or end")
		return
	}
	s.exitKey, s.exitAt = key, f.values[key].at
	s.exit = p.exit(s, key, f.get(key))
}

func exitRemedy(first, second string) string {
	if (first == "goto" || first == "switch") && (second == "ask" || second == "choices") {
		return fmt.Sprintf("write the goto inside %s: where a good answer leads", second)
	}
	return "a step has one exit"
}

func (p *checker) exit(s *step, key string, n *node) exit {
	switch key {
	case "goto":
		return jump{to: p.target(n, "goto")}
	case "switch":
		return p.switchExit(n)
	case "ask":
		return p.ask(n)
	case "choices":
		return p.choices(s, n)
	case "wait":
		return wait{to: p.target(n, "wait")}
	case "handoff":
		return p.handoff(n)
	}
	p.yes(n, "end")
	return end{}
}

func (p *checker) assignments(n *node) []assignment {
	if n == nil {
		return nil
	}
	if n.kind != mapNode {
		p.wrongKind(n, "set", "a map")
		return nil
	}
	var out []assignment
	seen := map[string]field{}
	for _, pair := range n.pairs {
		if !p.once(seen, pair) {
			continue
		}
		p.define(pair.key, pair.at)
		p.assigned[pair.key] = true
		out = append(out, assignment{name: pair.key, value: p.construct(pair.value, expressions)})
	}
	return out
}
