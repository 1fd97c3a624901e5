// Package cluster makes nodes one cluster: it says who is there, makes them trust each other,
// founds and joins, and carries replicas to where they are wanted.
//
// Two kinds of knowledge are kept apart. What gossip tells (Membership: who is alive, at which
// address, who seems to lead which shard) is a hint. It comes fast, it may be old or wrong, and
// nothing that must not be wrong hangs on it: no voter of any shard changes by it. What the shards'
// logs say is the truth.
//
// Trust comes from one text, the cluster's secret, which every node has (Secrets). It yields the
// key that encrypts the gossip, and the key of a certificate authority by which each node issues
// itself a certificate with its node id in it (Credentials). Who has the secret is a node; who has
// it not can neither read nor say anything. Own certificates, by files, take the place of the
// second.
//
// Read first: cluster.go, then formation.go, meta.go with plan.go, and moves.go for what a cluster
// decides; links.go for what nodes say to each other; secret.go and credentials.go for trust;
// membership.go and hints.go for gossip.
package cluster
