// Package persistence keeps conversations durably: one Raft group for each shard, logs and state of
// all of them in one Pebble engine.
//
// It promises that a commit whose proposal was answered without an error is on stable storage, with
// all of its records or none, and is found after any crash; that a commit is applied only on the
// revision that it names; and that proposals of one conversation are applied in the order in which
// they were made. What it can't promise it says: ErrUnknown and ErrClosed leave open whether a
// commit was kept.
//
// Read DESIGN.md first, then store.go (the way in), lane.go and ready.go (the loop), apply.go (what
// a command does) and keys.go (where it lies).
package persistence
