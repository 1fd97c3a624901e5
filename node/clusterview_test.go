package node

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wactor/wactor/admin"
)

// TestNoLeader: the error names the nodes to bring back, or says to try again.
func TestNoLeader(t *testing.T) {
	names := map[uint64]string{1: "node-1", 2: "node-2", 3: "node-3"}
	for _, c := range []struct {
		wanted, silent []uint64
		class          error
		want           string
	}{
		{[]uint64{1, 2, 3}, []uint64{3, 2}, admin.ErrNoMajority, "no majority: 2 of the 3 nodes that hold the shard " +
			"do not answer: node-2, node-3"},
		{[]uint64{1, 2, 3}, []uint64{2}, admin.ErrNoLeader, "try again"},
		{[]uint64{2}, []uint64{2}, admin.ErrNoMajority, "1 of the 1"},
		{nil, nil, admin.ErrNoLeader, "try again"},
	} {
		err := noLeader(c.wanted, names, func(node uint64) bool { return !slices.Contains(c.silent, node) })
		if !errors.Is(err, c.class) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v of %v are silent: %v, want %q", c.silent, c.wanted, err, c.want)
		}
	}
}
