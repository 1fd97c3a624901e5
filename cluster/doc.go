// Package cluster makes nodes one cluster: it says who is there, makes them trust each other,
// founds and joins, and carries replicas to where they are wanted.
//
// Two kinds of knowledge are kept apart. What gossip tells (cluster/gossip: who is alive, at which
// address, who seems to lead which shard) is a hint. It comes fast, it may be old or wrong, and
// nothing that must not be wrong hangs on it: no voter of any shard changes by it. What the shards'
// logs say is the truth.
//
// Read first: cluster.go, then formation.go, meta.go with plan.go, and moves.go for what a cluster
// decides; links.go for what nodes send each other. Beside this package are cluster/trust (secrets
// and certificates), cluster/gossip (who is there), cluster/placement (where shards are wanted) and
// cluster/routing (deliveries).
package cluster
