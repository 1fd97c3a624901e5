// Package flow runs bots that are written as YAML.
//
// Parse reads a flow and reports every mistake at once, each with file, line, column and a remedy:
// unknown keys, missing and unreachable steps, endless loops, expressions that do not compile,
// WhatsApp's limits. What it accepts is a Flow: immutable, shared by all conversations, safe for
// many goroutines.
//
// Flow.Step is one message of one conversation: old state in, new state and replies out. It does no
// I/O, asks no clock and draws no random number; the same Input makes the same Output, byte for
// byte. A step that calls a service stops there: the Output carries the Call for the caller to
// perform, and Flow.Resume goes on with its result.
//
// Everything a turn does is bounded: steps, calls, replies, the size of a value and of the state,
// the work of one expression. An error names step, line and column of the flow, and never a text of
// the user.
//
// This package is the public face, and walks from step to step (step.go). Behind it are rooms, each
// knowing only those before it: value (what a conversation remembers), zone, source (YAML with
// places), expr (expressions and texts), fit (WhatsApp's limits), run (one turn as it runs),
// message (what can be said), definition (the steps and what they do).
//
// The language is described for authors in docs/flows.md.
package flow
