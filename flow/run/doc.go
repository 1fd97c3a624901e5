// Package run is one turn of a flow while it runs: what it reads, and what it has made so far.
//
// A Run knows nothing of the kinds of steps: they ask it for values and texts, and give it replies,
// notes and the place where the conversation waits. What makes its texts fit WhatsApp's limits is
// package fit.
package run
