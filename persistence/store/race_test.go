//go:build race

package store

// raced: the race detector is there, which makes a run about ten times as long.
const raced = true
