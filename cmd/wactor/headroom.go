package main

import (
	"os"
	"runtime"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// What a node, or simulate, allocates in a second is large beside what it keeps, and each
// collection takes both cores of a small machine for tens of milliseconds. So at least a
// thirty-second part of the memory is let fill with garbage before one begins: with 512 MiB of it
// in place of 128 the p99 of a webhook fell to half.
const (
	headroomPart = 32
	minHeadroom  = 64 << 20
	maxHeadroom  = 512 << 20
)

// keepHeadroom counts the headroom as alive until the function that it returns is called. It is
// memory that is never touched, so that the system provides none for it. Where the operator has
// tuned the collector by GOGC or GOMEMLIMIT it does nothing.
func keepHeadroom() (release func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	untouched := make([]byte, headroom(memlimit.FromSystem, memlimit.FromCgroup))
	return func() { runtime.KeepAlive(untouched) }
}

// headroom is what suits the least of some limits of the memory. An unknown limit is none.
func headroom(limits ...memlimit.Provider) uint64 {
	memory := leastOf(limits...)
	if memory == 0 {
		memory = maxHeadroom * headroomPart
	}
	return min(max(memory/headroomPart, minHeadroom), maxHeadroom)
}

// memory is what this process may use, in bytes; 0 where that can't be found out.
func memory() uint64 { return leastOf(memlimit.FromSystem, memlimit.FromCgroup) }

// leastOf is the least of some limits; 0 where none is known.
func leastOf(limits ...memlimit.Provider) (least uint64) {
	for _, limit := range limits {
		if bytes, err := limit(); err == nil && bytes > 0 && (least == 0 || bytes < least) {
			least = bytes
		}
	}
	return least
}
