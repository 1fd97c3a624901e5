package graph

import (
	"errors"

	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/cloudapi"
)

// fate reads an answer.
func fate(a answer) provider.Result {
	if a.ok() {
		return taken(a)
	}
	failure := cloudapi.Classify(a.status, a.body)
	return provider.Result{
		Outcome:    failure.Outcome,
		Code:       failure.Code,
		Reason:     failure.Reason,
		RetryAfter: max(failure.RetryAfter, a.retryAfter),
		FileGone:   failure.Outcome == provider.Refused && fileCodes[failure.Code],
	}
}

// fileCodes are what a reply is refused with whose file is gone: an invalid parameter or value, or
// the failures of media. Meta documents no code of its own for it.
var fileCodes = map[int]bool{100: true, 131009: true, 131052: true, 131053: true}

// taken: a 2xx says that the message was accepted, whatever became of the body behind it. Sending
// again because an id is missing would double the message for certain; a later status still names
// it by the reply id.
func taken(a answer) provider.Result {
	id, err := cloudapi.DecodeSendResponse(a.body)
	if err != nil {
		return provider.Result{Outcome: provider.Sent, Reason: "taken: answer names no message id"}
	}
	return provider.Result{Outcome: provider.Sent, ProviderID: id}
}

// fateWithoutAnswer judges a send that was not answered.
func fateWithoutAnswer(err error) provider.Result {
	var broken *brokenError
	if errors.As(err, &broken) && !broken.connected {
		return provider.Result{Outcome: provider.RetryLater, Reason: "rejected: not sent: " + broken.reason}
	}
	return provider.Result{Outcome: provider.Unknown, Reason: "unknown: no answer: " + err.Error()}
}

// maxReason bounds a reason in bytes: a reply can have thousands of problems, and the reason is
// kept in the journal.
const maxReason = 500

func shorten(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	return reason[:maxReason-3] + "..."
}
