// Package store keeps conversations durably: it is the state machine of the replicated logs, with
// the reads of what they made.
//
// It promises that a commit whose proposal was answered without an error is on stable storage, with
// all of its records or none, and is found after any crash; that a commit is applied only on the
// revision that it names; and that proposals of one conversation are applied in the order in which
// they were made. What it can't promise it reports: replication.ErrUnknown and ErrClosed leave open
// whether a commit was kept.
//
// Read persistence/DESIGN.md first, then store.go (the way in), machine.go (what a command does),
// read.go, and for what is beside the way of a message view.go (a shard at one moment) and feed.go
// (which conversations have changed).
package store
