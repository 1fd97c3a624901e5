// Package cluster makes nodes one cluster: it says who is there, and makes them trust each other.
//
// Two kinds of knowledge are kept apart. What gossip tells (Membership: who is alive, at which address, who seems to lead which
// shard) is a hint. It comes fast, it may be old or wrong, and nothing that must not be wrong hangs on it: no voter of any shard
// changes by it. What the shards' logs say is the truth.
//
// Trust comes from one text, the cluster's secret, which every node has (Secrets). It yields the key that encrypts the gossip, and
// the key of a certificate authority by which each node issues itself a certificate with its node id in it (Credentials). Who has
// the secret is a node; who has it not can neither read nor say anything. Own certificates, by files, take the place of the second.
//
// Read first: secret.go, then credentials.go for connections, or membership.go and hints.go for gossip.
package cluster
