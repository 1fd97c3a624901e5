// Package conversation holds the rules of one conversation: what happens to a message between its
// arrival and the moment when the provider has taken the reply to it.
//
// A Conversation is a step machine in the manner of etcd's raft: Step takes one event and returns
// the effects that the caller must perform. It does no I/O, asks no clock, starts no goroutine and
// draws no random number, so that a property test or a simulation can run it millions of times,
// crash it between any two effects, and replay what went wrong.
//
// What it promises, as long as the caller performs the effects of each step in their order:
//
//   - A message is answered Accepted only after the commit that holds it was applied.
//   - A message id is in exactly one committed turn (or one dead letter, or it was absorbed, as the
//     bot's policies want, and the journal says why), however often it arrives.
//   - Turns never overlap; each makes the version one larger.
//   - Replies leave in the order of their turns, one at a time; the next leaves only after the
//     outcome of the one before is committed, so that at most one reply is ever in doubt.
//   - After a crash, Load of what was committed continues with all that is unfinished.
//
// Commits form a chain: each names the revision that the one before it makes. The caller may
// pipeline them; when one fails or its fate is unknown it must drop the Conversation and load anew.
//
// Read events.go first, then DESIGN.md, phases.go, and the machine that concerns you.
package conversation
