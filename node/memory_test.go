package node

import (
	"testing"

	"github.com/wactor/wactor/config"
)

func TestSharesOfMemory(t *testing.T) {
	for _, c := range []struct {
		memory             uint64
		set                config.Size
		unsigned, inFlight int64
	}{
		{0, 0, mostUnsigned, mostInFlight},
		{64 << 20, 0, leastUnsigned, leastInFlight},
		{512 << 20, 0, 32 << 20, 64 << 20},
		{1 << 62, 0, mostUnsigned, mostInFlight},
		{512 << 20, 5 << 20, 5 << 20, 64 << 20},
	} {
		if unsigned := maxUnsigned(c.set, c.memory); unsigned != c.unsigned {
			t.Errorf("%d bytes of memory: %d unsigned, want %d", c.memory, unsigned, c.unsigned)
		}
		if inFlight := maxInFlight(c.memory); inFlight != c.inFlight {
			t.Errorf("%d bytes of memory: %d in flight, want %d", c.memory, inFlight, c.inFlight)
		}
	}
}
