package flow

import "strings"

// Flow is a flow that was read and checked. It never changes; many goroutines may use it at once.
type Flow struct {
	file     string // for errors
	name     string
	start    *step
	steps    map[string]*step
	vars     map[string]any
	triggers map[string]*step // by folded word
	handlers map[string]*step // by type of message
	options  map[string]bool  // ids of all options: a tap on one that nobody asks for now is an old one
	uses     usage
}

// Name returns the name that the flow gives itself.
func (f *Flow) Name() string { return f.name }

// lineBreaks are all that YAML knows, so that lines have the same number here, in its errors and in
// an editor.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// Parse reads a flow from YAML and checks it; name is what problems call the file. The error, where
// there is one, is Problems: all mistakes, in the order of their places. A text that is no YAML at
// all has one problem, the first.
func Parse(name string, src []byte) (*Flow, error) {
	text := strings.TrimPrefix(string(src), "\uFEFF")
	text = lineBreaks.Replace(text)
	p := newChecker(newSource(name, text))
	f := p.flow(p.document(text))
	if len(p.problems) > 0 {
		return nil, p.problems.sorted()
	}
	f.file = name
	f.uses = p.used
	f.uses.reads = nil
	return f, nil
}

// fold makes what a user types comparable: case and white space do not matter.
func fold(text string) string {
	return strings.ToLower(strings.Join(strings.Fields(text), " "))
}
