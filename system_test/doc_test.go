// Package system_test proves the promises of a cluster with real processes: `wactor serve` in
// network namespaces with addresses of their own, under the load of `wactor simulate`, while this
// test kills and pauses processes, cuts the network and fills disks. After each test nothing may be
// lost, doubled, raced, out of order or skipped; a reply may come twice only where its conversation
// noted that it was in doubt.
//
// Read first: sandbox_test.go (where all of this runs, and why nothing of it can stay behind),
// network_test.go and cut_test.go (how the network is built and cut), cluster_test.go and
// member_test.go (the processes), balancer_test.go and outage_test.go (how webhooks get to the
// nodes, and how it is measured how long they did not), load_test.go (what is checked).
//
//	fault                       how it is done                                    test
//	a process dies              SIGKILL, started again 1 to 3 s later             TestKill, TestAllKilled
//	                            the same, while users write as people do          TestPolicies
//	a process stands still      SIGSTOP, later SIGCONT                            TestPause
//	a node is cut off           the router drops what its peers and it send       TestPartitions
//	one direction is cut        the router drops what one node sends to another   TestPartitions
//	a bridge                    two nodes are cut from each other, a third is not TestPartitions, TestWayAround
//	gossip is cut               the router drops TCP and UDP of port 7946         TestGossipCut
//	node RPC is cut             the router drops TCP of port 7947                 TestRPCCut
//	a disk is full              the data lies on a small tmpfs that a file fills  TestFullDisk
//	the network is slow         tc netem on the router, where the kernel has it   TestSlowNetwork
//	a node is stopped           SIGTERM, one node after the other                 TestRollingRestart
//	nodes come and go           a fourth node joins, and is drained               TestJoinAndDrain
//	a cluster begins            in any order, one dies half-way, two come late    TestFormation, TestTwoStartLate
//	one node becomes three      two more start with cluster.join                  TestGrow
//	a node stays away           SIGKILL, a spare node takes its place             TestReplacement
//	nodes are removed           drained and removed; or the disk was emptied      TestRemoval
//	strangers knock             another secret; the data of another cluster       TestStrangers
//	versions stand side by side nodes of an old commit are upgraded one by one     TestUpgrade
//	the secret changes          three rolling restarts with lists of secrets      TestSecretRotation
//
// The tests run where WACTOR_SYSTEM is set, as make system does it. They are skipped, saying why,
// where the system forbids namespaces, and under the race detector, which would not see into the
// processes. These variables change a run:
//
//	WACTOR_SYSTEM=1        run
//	WACTOR_SYSTEM=require  run, and fail instead of being skipped
//	WACTOR_ROUNDS=50       faults of each test; default 1
//	WACTOR_SEED=7          what is drawn; default another one each time, which is printed
//	WACTOR_RATE=600        messages a second; default 300
//	WACTOR_NODES=5         nodes of a cluster; default 3
//	WACTOR_BINARY=./wactor another program than that of this checkout
//	WACTOR_OLD_COMMIT=v1.0 the commit that TestUpgrade upgrades from
//	WACTOR_LOGS=folder     keeps what the nodes logged there, also where nothing failed
//	WACTOR_LONG=1          pauses and partitions of up to 30 s instead of up to 4 s
package system_test
