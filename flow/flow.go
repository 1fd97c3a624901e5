package flow

import (
	"crypto/sha256"

	"github.com/wactor/wactor/flow/definition"
	"github.com/wactor/wactor/flow/run"
)

// Flow is a flow that was read and checked. It never changes; many goroutines may use it at once.
type Flow struct {
	definition *definition.Flow
	sum        [sha256.Size]byte // of its source
}

// What a run reads, and what the calls of its steps are: see package run.
type (
	// Input is what one run of a flow reads.
	Input = run.Input
	// Call is a request to a service.
	Call = run.Call
	// Header is one header of a request.
	Header = run.Header
	// CallResult is what became of a Call.
	CallResult = run.CallResult
	// CallFailure is a class of failed calls.
	CallFailure = run.CallFailure
)

// Why there was no answer to a call.
const (
	CallTimeout     = run.CallTimeout
	CallUnreachable = run.CallUnreachable
	CallTooLarge    = run.CallTooLarge
)

// Name returns the name that the flow gives itself.
func (f *Flow) Name() string { return f.definition.Name }

// Parse reads a flow from YAML and checks it; name is what problems call the file. The error, where
// there is one, is a problem.List: all mistakes, in the order of their places. A text that is no
// YAML at all has one problem, the first.
func Parse(name string, src []byte) (*Flow, error) {
	d, err := definition.Parse(name, src)
	if err != nil {
		return nil, err
	}
	return &Flow{definition: d, sum: sha256.Sum256(src)}, nil
}

// Sum is a checksum of the source: two flows with the same one behave alike.
func (f *Flow) Sum() [sha256.Size]byte { return f.sum }
