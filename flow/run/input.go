package run

import (
	"encoding/json"
	"time"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Input is what one run of a flow reads.
type Input struct {
	// State is what the last Output held: a JSON object; empty at first. A state that no flow made,
	// or one whose step the flow no longer has, starts again at the flow's start, and the Output's
	// Note says so.
	State json.RawMessage
	User  *wactorv1.User
	// Message is what the user sent; nil where a timer started the turn.
	Message *wactorv1.Message
	Timer   *wactorv1.Timer
	// Now is the time of the turn.
	Now time.Time
	// WindowClosed says that the provider takes templates alone, since the user has not written for
	// too long.
	WindowClosed bool
	// Version is the number of turns committed before this one.
	Version uint64
	// Expired reports whether the run has used up its time; it is asked now and then while an
	// expression works long. Nil bounds the run by its steps alone, which is the same every time.
	Expired func() bool
	// TurnID names the turn: the same on every attempt of it. Idempotency keys of calls are made of
	// it.
	TurnID string
}

// Call is a request to a service.
type Call struct {
	Method string
	// URL is absolute, with scheme http or https.
	URL string
	// Headers are in the order of their names.
	Headers []Header
	// Body is nil where there is none.
	Body []byte
	// Timeout bounds the whole exchange, reading the answer included.
	Timeout time.Duration
	// IdempotencyKey is the same on every attempt of the turn, and differs between any two calls of
	// it.
	IdempotencyKey string
}

// Header is one header of a request.
type Header struct{ Name, Value string }

// CallResult is what became of a Call.
type CallResult struct {
	// Failure names why there was no answer; empty where there was one.
	Failure CallFailure
	// NotReached: there was never a connection, so that the service has seen nothing of the call.
	NotReached bool
	// Status and Body are the answer's.
	Status int
	Body   []byte
}

// CallFailure is a class of failed calls. Its text can be read by the flow as error.
type CallFailure string

const (
	// CallTimeout: there was no whole answer in time.
	CallTimeout CallFailure = "timeout"
	// CallUnreachable: no connection, or one that broke.
	CallUnreachable CallFailure = "unreachable"
	// CallTooLarge: the answer is larger than the caller takes.
	CallTooLarge CallFailure = "answer too large"
)
