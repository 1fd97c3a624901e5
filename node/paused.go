package node

import (
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// pausedGauge counts the conversations that no bot owns, of the shards that this node leads. It
// reads the index of them whenever it is asked, so that no change can be missed.
type pausedGauge struct {
	node *Node
	desc *prometheus.Desc
}

func newPausedGauge(n *Node) pausedGauge {
	return pausedGauge{n, prometheus.NewDesc("wactor_conversations_paused",
		"Conversations that the bot does not own, of the shards that this node leads, by who has taken them.",
		[]string{"by"}, nil)}
}

// Describe implements prometheus.Collector.
func (g pausedGauge) Describe(out chan<- *prometheus.Desc) { out <- g.desc }

// Collect implements prometheus.Collector.
func (g pausedGauge) Collect(out chan<- prometheus.Metric) {
	counts := map[string]int{conversation.ByBot: 0, conversation.ByPhone: 0, conversation.ByProvider: 0, byPrincipal: 0}
	for shard := uint32(1); shard <= uint32(g.node.config.Cluster.Shards); shard++ {
		if g.node.leaderships.term(shard) == 0 {
			continue
		}
		_ = g.node.store.Paused(shard, "", func(_ string, value []byte) error {
			owner := &wactorv1.Ownership{}
			if err := proto.Unmarshal(value, owner); err != nil {
				return err
			}
			by := owner.By
			if _, known := counts[by]; !known {
				by = byPrincipal
			}
			counts[by]++
			return nil
		})
	}
	for by, n := range counts {
		out <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, float64(n), by)
	}
}

// byPrincipal is the label of what a principal of the admin API has taken: its name is no label.
const byPrincipal = "principal"
