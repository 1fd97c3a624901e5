package main

import (
	"os"
	"runtime"
)

// headroom lets at least so much garbage come together before it is collected: what is alive of a node is small beside what it
// allocates in a second, and collecting whenever it has doubled took a tenth of the CPU.
const headroom = 128 << 20

// keepHeadroom counts headroom as alive until the function that it returns is called. It is memory that nobody touches, so that
// the system gives none for it. Where the operator has tuned the collector by GOGC or GOMEMLIMIT it does nothing.
func keepHeadroom() (release func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	untouched := make([]byte, headroom)
	return func() { runtime.KeepAlive(untouched) }
}
