// Package persistence keeps conversations: one Raft log for each shard, and what was applied from it, in one Pebble.
//
// A Store hosts the groups of this node's shards. Lanes drive them: a lane collects what was proposed, steps its groups, writes the
// Ready of all of them as one synced batch (one fsync for however many conversations wrote meanwhile), applies what that
// commits in an unsynced batch together with the applied index, and answers. Reads see what was applied.
//
// What it promises:
//
//   - A proposal is answered without an error only after its entry is on stable storage and was applied.
//   - A commit is applied only if it names the conversation's revision (ErrStale), and only in the term that it was proposed in
//     (ErrNotLeader).
//   - After any crash the state is exactly that of a prefix of the log that holds all that was ever answered.
//   - A write or a sync that fails ends the process (Options.Fatal): nothing is answered any more.
//
// DESIGN.md has the keys, the cycle of a lane, what is synced when, and why truncation is safe. Read options.go and store.go
// first, then lane.go, group.go and log.go.
package persistence
