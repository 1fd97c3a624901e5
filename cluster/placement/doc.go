// Package placement decides, without I/O, where conversations live: which shard a conversation
// belongs to, which nodes should hold a shard, and what the leader of a shard's group does next to
// get there. Shard 0 is the meta group, which holds no conversations but is placed and moved like
// the others.
//
//   - ShardOf (shard.go) maps a conversation to its shard. It is part of the stored format.
//   - Want (want.go) maps shards to nodes: balanced, spread over zones, and with little movement.
//     It is run by the leader of the meta group, which stores the result, and gives it back as the
//     starting point of the next.
//   - Next (step.go) compares a group with the wanted nodes, and tells one step. It is run by the
//     leader of each group, again and again; it remembers nothing, so that any leader goes on where
//     another one stopped or died.
//
// Everything here is a function of its arguments, in whole numbers: every node of every
// architecture computes the same. Read Want first, then Next.
package placement
