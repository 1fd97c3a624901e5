package graph

import (
	"errors"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/provider/cloudapi"
)

// fate reads an answer.
func fate(a answer) conversation.SendResult {
	if a.ok() {
		return taken(a)
	}
	failure := cloudapi.Classify(a.status, a.body)
	return conversation.SendResult{
		Outcome:    outcome(failure.Class),
		Code:       failure.Code,
		Reason:     failure.Reason,
		RetryAfter: max(failure.RetryAfter, a.retryAfter),
	}
}

// taken: a 2xx says that the message was accepted, whatever became of the body behind it. Sending
// again because an id is missing would double the message for certain; a later status still names
// it by the reply id.
func taken(a answer) conversation.SendResult {
	id, err := cloudapi.DecodeSendResponse(a.body)
	if err != nil {
		return conversation.SendResult{Outcome: conversation.Taken, Reason: "taken: answer names no message id"}
	}
	return conversation.SendResult{Outcome: conversation.Taken, ProviderID: id}
}

// fateWithoutAnswer judges a send that was not answered.
func fateWithoutAnswer(err error) conversation.SendResult {
	var broken *brokenError
	if errors.As(err, &broken) && !broken.connected {
		return conversation.SendResult{Outcome: conversation.Rejected, Reason: "rejected: not sent: " + broken.reason}
	}
	return conversation.SendResult{Outcome: conversation.Unknown, Reason: "unknown: no answer: " + err.Error()}
}

func outcome(class cloudapi.Class) conversation.SendOutcome {
	switch class {
	case cloudapi.ClassRejected:
		return conversation.Rejected
	case cloudapi.ClassRefused:
		return conversation.Refused
	case cloudapi.ClassHeld:
		return conversation.Held
	default:
		return conversation.Unknown
	}
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
