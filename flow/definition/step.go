package definition

import (
	"fmt"

	"github.com/wactor/wactor/flow/run"
	"github.com/wactor/wactor/flow/source"
)

// Step is one step of a flow.
type Step struct {
	Name string
	At   source.Place
	// Parts run in this order; the last one is the exit.
	Parts []Part
	// Exit is the key of the exit, such as goto.
	Exit string

	index  int // in the order of the file
	exitAt source.Place
}

// Part is what one key of a step does.
type Part interface {
	// Run does it: next is the step to go on with in this turn. Nil goes on with the step's next
	// part, if there is one, and stops otherwise; it also waits for a call that is pending. The
	// error is an *expr.Failure.
	Run(r *run.Run) (next *Step, err error)
	// Ways returns all ways out of the part, in the order in which they are written.
	Ways() []Way
}

// Caller is a Part that may leave a call pending.
type Caller interface {
	// Resume goes on with the call's result; like Run.
	Resume(r *run.Run, result run.CallResult) (next *Step, err error)
}

// Question is an exit that waits for an answer.
type Question interface {
	// Put puts the question.
	Put(r *run.Run) error
	// Answer takes the message of the turn, after so many bad answers; like Run.
	Answer(r *run.Run, tries int) (next *Step, err error)
}

// Way leads to a step.
type Way struct {
	// Label says when it is taken; may be empty.
	Label string
	// To is nil where the flow names no step.
	To *Target
	// Now: it is taken in the same turn, without a message of the user.
	Now bool
}

// Target is a step that another place of the flow names.
type Target struct {
	Step *Step

	name string
	at   source.Place
}

// kind is a key of a step. A new kind is a file that reads it and a line in the table.
type kind struct {
	key  string
	exit bool
	// read reads and checks what stands behind the key; nil where it is none, which was reported.
	read func(*parser, *Step, *source.Node) Part
}

// kinds are all keys of a step, in the order in which its parts run.
var kinds = []kind{
	{key: "set", read: readSet},
	{key: "call", read: readCall},
	{key: "say", read: readSay},
	{key: "media", read: readMessage("media")},
	{key: "location", read: readMessage("location")},

	{key: "goto", exit: true, read: readGoto},
	{key: "switch", exit: true, read: readSwitch},
	{key: "ask", exit: true, read: readAsk},
	{key: "choices", exit: true, read: readChoices},
	{key: "wait", exit: true, read: readWait},
	{key: "back", exit: true, read: readBack},
	{key: "end", exit: true, read: readEnd},
	{key: "handoff", exit: true, read: readHandoff},
}

// Question returns the step's question; nil where it asks nothing.
func (s *Step) Question() Question {
	q, _ := s.exit().(Question)
	return q
}

// exit returns the part that is the exit; nil where it has a mistake.
func (s *Step) exit() Part {
	if s.Exit == "" || len(s.Parts) == 0 {
		return nil
	}
	return s.Parts[len(s.Parts)-1]
}

// Ways returns all ways out of the step.
func (s *Step) Ways() []Way {
	var all []Way
	for _, part := range s.Parts {
		all = append(all, part.Ways()...)
	}
	return all
}

func readSteps(p *parser, n *source.Node) {
	if n == nil {
		return
	}
	if n.Kind != source.Map {
		p.WrongKind(n, "steps", "a map")
		return
	}
	keys := make([]string, len(kinds))
	for i, k := range kinds {
		keys[i] = k.key
	}
	for pair := range p.Pairs(n) {
		if !source.IsName(pair.Key, true) {
			p.Report(pair.At, fmt.Sprintf("%s is no name for a step", pair.Key),
				fmt.Sprintf("letters, digits, _ and -, a letter first, at most %d", source.MaxName))
		}
		s := &Step{Name: pair.Key, At: pair.At, index: len(p.order)}
		p.steps[s.Name] = s
		p.order = append(p.order, s)
		if f, ok := p.Fields(pair.Value, "step "+s.Name, keys...); ok {
			readStep(p, s, f)
		}
	}
}

func readStep(p *parser, s *Step, f source.Fields) {
	exit := exitOf(p, s, f)
	for _, k := range kinds {
		if !f.Has(k.key) || k.exit && k.key != exit {
			continue
		}
		part := k.read(p, s, f.Get(k.key))
		if part == nil {
			continue
		}
		s.Parts = append(s.Parts, part)
		if k.exit {
			s.Exit, s.exitAt = k.key, f.Place(k.key)
		}
	}
}

// exitOf returns the key of the step's one exit; empty where it has none or several.
func exitOf(p *parser, s *Step, f source.Fields) string {
	found := ""
	for _, k := range kinds {
		if !k.exit || !f.Has(k.key) {
			continue
		}
		if found != "" {
			at := f.Place(k.key)
			if first := f.Place(found); at.Line < first.Line {
				at = first
			}
			p.Report(at, fmt.Sprintf("step %s has both %s and %s", s.Name, found, k.key), exitRemedy(found, k.key))
			return ""
		}
		found = k.key
	}
	if found == "" {
		p.Report(s.At, fmt.Sprintf("step %s does not say what comes next", s.Name),
			"end it with goto, switch, ask, choices, wait, back, handoff or end")
	}
	return found
}

func exitRemedy(first, second string) string {
	if (first == "goto" || first == "switch") && (second == "ask" || second == "choices") {
		return fmt.Sprintf("write the goto inside %s: where a good answer leads", second)
	}
	return "a step has one exit"
}
