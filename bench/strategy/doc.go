// Package strategy is one bot, the counter, with its sessions kept by each of the ways that people
// are advised to keep them: it answers a user's n-th message <text> with "step <n>: <text>". Read
// strategy.go first, then redislock.go as the example of one.
//
// Each is written as an experienced engineer would write it for production: pooled and kept
// connections, few round trips, prepared statements, no work that the strategy does not need. What
// a strategy can't promise is said at its type; nothing is added to it that would turn it into
// another strategy, such as an outbox.
package strategy
