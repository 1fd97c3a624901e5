//go:build race

package gateway

// raced: the race detector allocates beside the program.
const raced = true
