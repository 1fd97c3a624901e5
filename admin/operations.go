package admin

import wactorv1 "github.com/wactor/wactor/proto/wactor/v1"

// operations is the registry: every method of AdminService, and what answers it. The tests compare
// it with admin.proto.
//
// A new read is a method with its option in admin.proto and an entry here; a new write of a
// conversation is that, and an event of the conversation that applies it. The program's command
// follows from the option.
var operations = byName(
	serve("Status", (*Service).status),
	led("Trace", (*Service).trace, (*Service).traceHere),
	led("Find", (*Service).find, (*Service).findHere),
	led("DeadLetters", (*Service).deadLetters, (*Service).deadLettersHere),
	led("ListDeadLetters", (*Service).listDeadLetters, (*Service).listDeadLettersHere),
	change[wactorv1.RetryRequest, wactorv1.RetryResponse]("Retry", (*Service).mayReplace),
	change[wactorv1.SkipRequest, wactorv1.SkipResponse]("Skip", nil),
	reloading(),
	serve("ReloadCluster", reloadCluster),
	change[wactorv1.PauseRequest, wactorv1.PauseResponse]("Pause", mayPause),
	change[wactorv1.ResumeRequest, wactorv1.ResumeResponse]("Resume", mayResume),
	led("ListPaused", listPaused, listPausedHere),
	serve("Post", post),
	led("Posted", posted, postedHere),
	serve("ClusterStatus", (*Service).clusterStatus),
	serve("ChangeNode", (*Service).changeNode),
	led("FinalizeUpgrade", finalize, finalizeHere),
	serve("CreateBackup", (*Service).createBackup),
)

func byName(all ...*operation) map[string]*operation {
	named := make(map[string]*operation, len(all))
	for _, o := range all {
		named[o.name()] = o
	}
	return named
}
