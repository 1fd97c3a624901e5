// Package planted holds the mistakes that are planted into Wactor, to see whether the simulation
// catches them: each is one that was made in such systems, and each guards a line of code that
// looks as if it could be left out.
//
// Only a build with the tag planted knows any. Without it Is is a constant false, and what hangs on
// it is not compiled in.
package planted

// Bug is a planted mistake.
type Bug string

// The mistakes, by what is done instead of what should be.
const (
	// VotesBeforeSync: votes and acknowledgements leave before what they vouch for is on disk.
	VotesBeforeSync Bug = "VotesBeforeSync"
	// AppliedApart: the applied index is written before the state that it speaks of, not with it.
	AppliedApart Bug = "AppliedApart"
	// PositionsLeftOut: who was alone has a log again, and does not write down where it begins.
	PositionsLeftOut Bug = "PositionsLeftOut"
	// SnapshotWithoutVoters: a snapshot is installed without the configuration that it belongs to.
	SnapshotWithoutVoters Bug = "SnapshotWithoutVoters"
	// SnapshotWithOldRevisions: a snapshot is installed, and revisions of before are remembered.
	SnapshotWithOldRevisions Bug = "SnapshotWithOldRevisions"
	// RevisionUnchecked: a commit is applied whatever revision it names.
	RevisionUnchecked Bug = "RevisionUnchecked"
	// ChainUnchecked: a commit is applied behind one of another chain.
	ChainUnchecked Bug = "ChainUnchecked"
	// ReadyTooEarly: a leader is used before it has applied an entry of its own term.
	ReadyTooEarly Bug = "ReadyTooEarly"

	// LeaseOfArrival: a lease counts from when the answer to a heartbeat arrives, not from when the
	// heartbeat left.
	LeaseOfArrival Bug = "LeaseOfArrival"
	// LeaseTooLong: a lease is longer than others wait before they stand for election.
	LeaseTooLong Bug = "LeaseTooLong"
	// SentWithoutLease: a node that assumes it is the leader may send.
	SentWithoutLease Bug = "SentWithoutLease"

	// ReplicaIDReused: the id of a replica that was removed is given again.
	ReplicaIDReused Bug = "ReplicaIDReused"
	// TombstoneLeftOut: a destroyed replica can be created again.
	TombstoneLeftOut Bug = "TombstoneLeftOut"
	// VoterDestroyed: a voter that leaves is destroyed at the end of the joint configuration.
	VoterDestroyed Bug = "VoterDestroyed"

	// AcceptedBeforeCommit: a message is answered before it is committed.
	AcceptedBeforeCommit Bug = "AcceptedBeforeCommit"
	// DedupLeftOut: the store is not asked whether a message is known.
	DedupLeftOut Bug = "DedupLeftOut"
	// SentBeforeCommit: a reply leaves before its turn is committed.
	SentBeforeCommit Bug = "SentBeforeCommit"
	// ResentBeforeCommit: a reply is sent again before it is committed that it was in doubt.
	ResentBeforeCommit Bug = "ResentBeforeCommit"
	// InDoubtForgotten: what the activation before may have sent is sent again as if it were new.
	InDoubtForgotten Bug = "InDoubtForgotten"

	// RetriedTwice: a dead letter is taken up again while a commit that does so is on its way.
	RetriedTwice Bug = "RetriedTwice"

	// ResolvedBeforeCommit: an identity replies to whom it belongs before that is committed.
	ResolvedBeforeCommit Bug = "ResolvedBeforeCommit"
	// MergedTwice: the store is not asked whether a message that is offered was taken before.
	MergedTwice Bug = "MergedTwice"
	// MergedBeforeCommit: an offer is answered before what it offered is committed.
	MergedBeforeCommit Bug = "MergedBeforeCommit"
	// BothYield: of two conversations of one user, each is merged into the other.
	BothYield Bug = "BothYield"

	// WorkNotTakenUp: a new leader leaves unfinished conversations alone until their users write.
	WorkNotTakenUp Bug = "WorkNotTakenUp"
	// FailureNotRetried: a conversation whose activation failed is not activated again.
	FailureNotRetried Bug = "FailureNotRetried"
	// NewIDsAssumed: an activation takes message ids for new that it has not accepted itself.
	NewIDsAssumed Bug = "NewIDsAssumed"
	// ClosedWithMail: an activation that has ended does not wait for deliveries on their way to it.
	ClosedWithMail Bug = "ClosedWithMail"

	// OrderUnchecked: an activation takes a message whether or not it has the one before.
	OrderUnchecked Bug = "OrderUnchecked"
	// LateOutcomeTaken: the outcome of an attempt counts that was given up.
	LateOutcomeTaken Bug = "LateOutcomeTaken"

	// FoundedByFew: a node founds a cluster with the nodes that it sees, however few they are.
	FoundedByFew Bug = "FoundedByFew"
	// LearnerNotCreated: a replica is added to its group whether or not it could be created.
	LearnerNotCreated Bug = "LearnerNotCreated"
)
