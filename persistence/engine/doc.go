// Package engine is the disk: the one Pebble of a node, with its logs and state, how it is opened
// and closed, and how its errors are told apart.
//
// It promises that what a synced batch holds survives a crash whole, that what survives is a prefix
// of all batches (persistence/DESIGN.md says why), that an error of a write ends the process, and
// that no name of a user gets into a log line or an error.
//
// Read engine.go first.
package engine
