package control

import (
	"maps"
	"slices"

	"github.com/wactor/wactor/cluster/gossip"
)

// everyone is gossip of nodes that are alive, this one, node 1, beside them.
type everyone map[uint64]bool

func (e everyone) Peers() []gossip.Peer {
	var peers []gossip.Peer
	for _, node := range slices.Sorted(maps.Keys(e)) {
		peers = append(peers, gossip.Peer{Node: node})
	}
	return peers
}

func (e everyone) Alive(node uint64) bool          { return node == 1 || e[node] }
func (everyone) Leader(uint32) (gossip.Hint, bool) { return gossip.Hint{}, false }
func (everyone) Announce(gossip.Hint)              {}
func (everyone) Update(gossip.Peer) error          { return nil }
func (everyone) WithHost(address string) string    { return address }
