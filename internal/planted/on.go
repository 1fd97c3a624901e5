//go:build planted

package planted

// All are all mistakes.
var All = []Bug{
	VotesBeforeSync, AppliedApart, PositionsLeftOut, SnapshotWithoutVoters,
	SnapshotWithOldRevisions, RevisionUnchecked, ChainUnchecked, ReadyTooEarly,
	LeaseOfArrival, LeaseTooLong, SentWithoutLease, ReplicaIDReused,
	TombstoneLeftOut, VoterDestroyed, AcceptedBeforeCommit, DedupLeftOut,
	SentBeforeCommit, ResentBeforeCommit, InDoubtForgotten,
	ResolvedBeforeCommit, MergedTwice, MergedBeforeCommit, BothYield,
	WorkNotTakenUp, FailureNotRetried, NewIDsAssumed, ClosedWithMail,
	OrderUnchecked, LateOutcomeTaken, FoundedByFew, LearnerNotCreated, RetriedTwice,
}

var planted Bug

// Plant plants a mistake in place of the one before, or none where it is empty. Nothing may run
// meanwhile.
func Plant(bug Bug) { planted = bug }

// Is reports whether a mistake is planted.
func Is(bug Bug) bool { return planted == bug }
