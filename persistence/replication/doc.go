// Package replication keeps one replicated log for each shard: a Raft group each, all groups of a
// node driven by a few lanes over one engine. What the entries mean it does not know: it hands them
// to a StateMachine.
//
// It promises that a command whose proposal was answered without an error is on stable storage on a
// majority of the shard's replicas, is applied once on each, in the order of the log, and is found
// after any crash; and that commands of one shard are applied in the order in which they were
// proposed. What it can't promise it reports: ErrUnknown and ErrClosed leave open whether a command
// was kept.
//
// Read persistence/DESIGN.md first, then host.go (the way in), machine.go (what it drives), lane.go
// and ready.go (the loop), and extensions.go (what is said in spare fields of Raft's messages).
package replication
