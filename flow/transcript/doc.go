// Package transcript plays conversations that are kept as text beside a flow, and writes messages
// as text.
//
// A transcript is what a reviewer reads and what `wactor flow test` runs: the user's lines are the
// input, the bot's lines are what the flow must answer. Play returns the whole transcript as the
// flow answers today; where it differs from the file, the flow changed.
//
//	# the first order of a new customer
//	> hi
//	< Welcome to the shop!
//	> [tap Coffee]
//	< How many?
//
// Like package flow it is pure: the clock of a transcript is a value, and services are answered by
// its own lines.
package transcript
