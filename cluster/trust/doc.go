// Package trust makes nodes recognise each other.
//
// Trust comes from one text, the cluster's secret, which every node has (Secrets). It yields the
// key that encrypts the gossip, and the key of a certificate authority by which each node issues
// itself a certificate with its node id in it (Credentials). A program with the secret is a node;
// one without it can neither read nor send anything. Own certificates, by files, take the place of
// the second.
package trust
