// Package sim runs a whole cluster in one process, one step at a time: several nodes with the real
// replicas, routers, control, actors and rules of a conversation, over a network, disks and clocks
// that are made up. Every decision is drawn from a seed, so that a seed is a run: what went wrong
// once goes wrong again, down to the last message.
//
// What is real: package persistence with its engine, driven by hand (Options.Manual), packages
// actors, cluster/routing and cluster/control, driven by the seed's scheduler, and package
// conversation, with identities that are linked in half of the seeds. What is simulated: the
// network (delay, loss, duplicates, reordering, partitions of every shape), gossip, the disks (what
// was not synced is lost in a crash, up to a torn write; syncs fail; a slow one), the clocks (they
// drift, and processes are paused while time goes on), gateways, bots, users, and the provider.
//
// In a quarter of the seeds the nodes found their cluster and move its replicas by themselves
// (control.go). In the others it is there at the beginning, and an operator (operator.go), who asks
// cluster/placement for the steps as cluster/control does, moves replicas far more often than nodes
// ever would, and lets creations and steps arrive late.
//
// While faults happen and after they are healed, checkers hold the run against what ARCHITECTURE.md
// promises: see checks.go and finale.go, and linear_test.go for the histories.
//
// Read world.go first, then node.go, scheduler.go, runtime.go and faults.go. To run some seeds, and
// to see one in detail:
//
//	go test ./internal/sim -run TestSeeds -sim.first=1 -sim.seeds=1000
//	go test ./internal/sim -run TestSeeds -sim.seed=17
package sim
