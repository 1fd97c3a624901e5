// Package planted holds the mistakes that are planted into Wactor, to see whether the simulation catches them: each is one that was
// made in such systems, and each guards a line of code that looks as if it could be left out.
//
// Only a build with the tag planted knows any. Without it Is is a constant false, and what hangs on it is not compiled in.
package planted

// Bug is a planted mistake.
type Bug int

// The mistakes, by what is done instead of what should be.
const (
	// None is the absence of any.
	None Bug = iota

	// VotesBeforeSync: votes and acknowledgements leave before what they vouch for is on disk.
	VotesBeforeSync
	// NewTermEarly: a leader sends the first entries of its term before the term is on its own disk.
	NewTermEarly
	// VoteForgotten: the vote is not on disk.
	VoteForgotten
	// EntriesLeft: entries that others replace stay behind them.
	EntriesLeft
	// AppliedApart: the applied index is written before the state that it speaks of, not with it.
	AppliedApart
	// TruncatedApart: the log is truncated before the state that it made is written, not with it.
	TruncatedApart
	// SnapshotWithoutVoters: a snapshot is installed without the configuration that it belongs to.
	SnapshotWithoutVoters
	// SnapshotWithOldRevisions: a snapshot is installed, and revisions of before are remembered.
	SnapshotWithOldRevisions
	// RevisionUnchecked: a commit is applied whatever revision it names.
	RevisionUnchecked
	// ChainUnchecked: a commit is applied behind one of another chain.
	ChainUnchecked
	// ReadyTooEarly: a leader is used before it has applied an entry of its own term.
	ReadyTooEarly

	// LeaseOfArrival: a lease counts from when the answer to a heartbeat arrives, not from when the heartbeat left.
	LeaseOfArrival
	// LeaseTooLong: a lease is longer than others wait before they stand for election.
	LeaseTooLong
	// LeaseInTransfer: a lease lasts while the lead is given away.
	LeaseInTransfer
	// SentWithoutLease: whoever believes to lead may send.
	SentWithoutLease
	// VotesAfterRestart: a node votes right after its start, though it may have promised a lease before.
	VotesAfterRestart

	// ReplicaIDReused: the id of a replica that was removed is given again.
	ReplicaIDReused
	// TombstoneLeftOut: a destroyed replica can be created again.
	TombstoneLeftOut
	// VoterDestroyed: a voter that leaves is destroyed at the end of the joint configuration.
	VoterDestroyed
	// RefusedInSilence: who refuses a vote does not tell how far it knows the log to be committed.
	RefusedInSilence

	// AcceptedBeforeCommit: a message is answered before it is committed.
	AcceptedBeforeCommit
	// DedupLeftOut: the store is not asked whether a message is known.
	DedupLeftOut
	// SentBeforeCommit: a reply leaves before its turn is committed.
	SentBeforeCommit
	// ResentBeforeCommit: a reply is sent again before it is committed that it was in doubt.
	ResentBeforeCommit
	// DoubtForgotten: what the activation before may have sent is sent again without a doubt.
	DoubtForgotten

	// End is behind the last.
	End
)
