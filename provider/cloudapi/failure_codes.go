package cloudapi

import "time"

// meaning is what one code says.
type meaning struct {
	class Class
	text  string
	// wait is the least time before the next try.
	wait time.Duration
}

// wrongObject is the subcode of code 100 for "object does not exist or missing permissions": the
// phone_number_id is wrong or not the token's, so no message can be sent at all.
const wrongObject = 33

// codes are the errors of a send. Source: Meta, "Error codes" (Cloud API), as of 2026-05-15, except
// where a line says "not confirmed": known from use, not read on that page. A code that is not here
// is judged by its HTTP status.
//
// Rejected is only what is known to be refused before processing: a wrong entry there doubles
// messages. Refused is what is about this message or this user; Held what every other message on
// the number would meet as well.
var codes = map[int]meaning{
	// Rate limits. The waits are those of the published limits: an hourly count, 80 messages/s, one
	// message to a user in 6 s.
	4:      {ClassRejected, "application's call limit", time.Minute},
	80007:  {ClassRejected, "account's rate limit", time.Minute},
	80008:  {ClassRejected, "account's rate limit", time.Minute},
	130429: {ClassRejected, "number's throughput limit", time.Second},
	131056: {ClassRejected, "pair rate limit", 6 * time.Second},

	// This message or this user.
	100:    {ClassRefused, "invalid parameter", 0},
	130472: {ClassRefused, "user is part of an experiment", 0}, // not confirmed
	// A restriction for one country must not stop the users of all others.
	130497: {ClassRefused, "not allowed to message this country", 0},
	131008: {ClassRefused, "required parameter missing", 0},
	131009: {ClassRefused, "parameter value not valid", 0},
	131021: {ClassRefused, "recipient is the sender", 0},
	131026: {ClassRefused, "undeliverable", 0},
	131030: {ClassRefused, "recipient not in the list of test numbers", 0},
	131047: {ClassRefused, "customer service window closed", 0},
	131049: {ClassRefused, "marketing frequency limit", 0},
	131050: {ClassRefused, "user stopped marketing messages", 0},
	131051: {ClassRefused, "unsupported message type", 0},
	131062: {ClassRefused, "message type needs a phone number", 0},
	// A file that WhatsApp could not load was not sent. Most often it never will be (wrong type,
	// too large, link gone), and waiting would block the user's other replies behind it: a dead
	// letter can be retried by hand. Where Meta says that it is transient, Classify does not
	// refuse.
	131052: {ClassRefused, "media could not be downloaded", 0},
	131053: {ClassRefused, "media could not be uploaded", 0},

	// The whole number, until somebody acts.
	0:      {ClassHeld, "not authenticated", 0},
	3:      {ClassHeld, "application lacks the capability", 0},
	10:     {ClassHeld, "permission missing", 0},
	33:     {ClassHeld, "phone number was deleted", 0}, // not confirmed
	190:    {ClassHeld, "access token invalid or expired", 0},
	368:    {ClassHeld, "blocked for a policy violation", 0},
	131005: {ClassHeld, "access denied", 0},
	131031: {ClassHeld, "account locked", 0},
	131037: {ClassHeld, "display name not approved", 0}, // not confirmed
	131042: {ClassHeld, "payment issue", 0},
	131045: {ClassHeld, "phone number registration error", 0}, // not confirmed
	// Quality, not speed: every further message makes it worse, and none of those waiting deserves
	// to be lost.
	131048: {ClassHeld, "spam rate limit", 0},

	// Meta's side. Nobody says whether the message went out.
	1:      {ClassUnknown, "unknown API error", 0},
	2:      {ClassUnknown, "API service down", 0},
	131000: {ClassUnknown, "something went wrong", 0},
	131016: {ClassUnknown, "service unavailable", 0},
	131057: {ClassUnknown, "account in maintenance", 0},
	133004: {ClassUnknown, "server temporarily unavailable", 0},
}

func (e graphError) meaning() (meaning, bool) {
	if !e.hasCode {
		return meaning{}, false
	}
	if e.code == 100 && e.subcode == wrongObject {
		return meaning{class: ClassHeld, text: "phone_number_id does not exist for this token"}, true
	}
	if known, ok := codes[e.code]; ok {
		return known, true
	}
	switch {
	case 200 <= e.code && e.code <= 299:
		return meaning{class: ClassHeld, text: "permission missing"}, true
	case 133000 <= e.code && e.code <= 133999:
		return meaning{class: ClassHeld, text: "phone number registration"}, true
	}
	return meaning{}, false
}
