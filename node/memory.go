package node

import "github.com/wactor/wactor/config"

// Webhooks take memory before anything is decided about them. These are their shares of what the
// process may use, and their bounds in bytes.
const (
	unsignedPart                = 16
	leastUnsigned, mostUnsigned = 8 << 20, 256 << 20
	inFlightPart                = 8
	leastInFlight, mostInFlight = 32 << 20, 256 << 20
)

// maxUnsigned is how much bodies without a proven signature may take.
func maxUnsigned(set config.Size, memory uint64) int64 {
	if set > 0 {
		return int64(set)
	}
	return share(memory, unsignedPart, leastUnsigned, mostUnsigned)
}

// maxInFlight is how much the bodies that are worked on may take.
func maxInFlight(memory uint64) int64 {
	return share(memory, inFlightPart, leastInFlight, mostInFlight)
}

// share is a part of the memory within bounds; the upper one where the memory is not known.
func share(memory, part uint64, least, most int64) int64 {
	if memory == 0 {
		return most
	}
	return min(max(int64(min(memory/part, 1<<40)), least), most)
}
