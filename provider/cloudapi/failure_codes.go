package cloudapi

import (
	"time"

	"github.com/wactor/wactor/provider"
)

// meaning is what one code says.
type meaning struct {
	outcome provider.Outcome
	text    string
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
// Limited is only what is known to be rejected before processing: a wrong entry there doubles
// messages. Refused is what is about this message or this user; ChannelHeld what every other
// message on the number would meet as well.
var codes = map[int]meaning{
	// Rate limits. The waits are those of the published limits: an hourly count, 80 messages/s, one
	// message to a user in 6 s.
	4:      {provider.ChannelLimited, "application's call limit", time.Minute},
	80007:  {provider.ChannelLimited, "account's rate limit", time.Minute},
	80008:  {provider.ChannelLimited, "account's rate limit", time.Minute},
	130429: {provider.ChannelLimited, "number's throughput limit", time.Second},
	131056: {provider.PairLimited, "pair rate limit", 6 * time.Second},

	// This message or this user.
	100:    {provider.Refused, "invalid parameter", 0},
	130472: {provider.Refused, "user is part of an experiment", 0}, // not confirmed
	// A restriction for one country must not stop the users of all others.
	130497: {provider.Refused, "not allowed to message this country", 0},
	131008: {provider.Refused, "required parameter missing", 0},
	131009: {provider.Refused, "parameter value not valid", 0},
	131021: {provider.Refused, "recipient is the sender", 0},
	131026: {provider.Refused, "undeliverable", 0},
	131030: {provider.Refused, "recipient not in the list of test numbers", 0},
	131047: {provider.Refused, "customer service window closed", 0},
	131049: {provider.Refused, "marketing frequency limit", 0},
	131050: {provider.Refused, "user stopped marketing messages", 0},
	131051: {provider.Refused, "unsupported message type", 0},
	131062: {provider.Refused, "message type needs a phone number", 0},
	132000: {provider.Refused, "wrong number of template parameters", 0},
	132001: {provider.Refused, "no such template in this language", 0},
	132005: {provider.Refused, "template's text too long with its parameters", 0},
	132007: {provider.Refused, "template violates a policy", 0},
	132012: {provider.Refused, "template parameter of a wrong form", 0},
	132015: {provider.Refused, "template is paused", 0},
	132016: {provider.Refused, "template is disabled", 0},
	132018: {provider.Refused, "template parameter not valid", 0}, // not confirmed
	// A file that WhatsApp could not load was not sent. Most often it never will be (wrong type,
	// too large, link gone), and waiting would block the user's other replies behind it: a dead
	// letter can be retried by hand. Where Meta says that it is transient, Classify does not
	// refuse.
	131052: {provider.Refused, "media could not be downloaded", 0},
	131053: {provider.Refused, "media could not be uploaded", 0},

	// The whole number, until an operator acts.
	0:      {provider.ChannelHeld, "not authenticated", 0},
	3:      {provider.ChannelHeld, "application lacks the capability", 0},
	10:     {provider.ChannelHeld, "permission missing", 0},
	33:     {provider.ChannelHeld, "phone number was deleted", 0}, // not confirmed
	190:    {provider.ChannelHeld, "access token invalid or expired", 0},
	368:    {provider.ChannelHeld, "blocked for a policy violation", 0},
	131005: {provider.ChannelHeld, "access denied", 0},
	131031: {provider.ChannelHeld, "account locked", 0},
	131037: {provider.ChannelHeld, "display name not approved", 0}, // not confirmed
	131042: {provider.ChannelHeld, "payment issue", 0},
	131045: {provider.ChannelHeld, "phone number registration error", 0}, // not confirmed
	// Quality, not speed: every further message makes it worse, and none of those waiting deserves
	// to be lost.
	131048: {provider.ChannelHeld, "spam rate limit", 0},

	// Meta's side. None says whether the message went out.
	1:      {provider.Unknown, "unknown API error", 0},
	2:      {provider.Unknown, "API service down", 0},
	131000: {provider.Unknown, "something went wrong", 0},
	131016: {provider.Unknown, "service unavailable", 0},
	131057: {provider.Unknown, "account in maintenance", 0},
	133004: {provider.Unknown, "server temporarily unavailable", 0},
}

func (e graphError) meaning() (meaning, bool) {
	if !e.hasCode {
		return meaning{}, false
	}
	if e.code == 100 && e.subcode == wrongObject {
		return meaning{outcome: provider.ChannelHeld, text: "phone_number_id does not exist for this token"}, true
	}
	if known, ok := codes[e.code]; ok {
		return known, true
	}
	switch {
	case 200 <= e.code && e.code <= 299:
		return meaning{outcome: provider.ChannelHeld, text: "permission missing"}, true
	case 133000 <= e.code && e.code <= 133999:
		return meaning{outcome: provider.ChannelHeld, text: "phone number registration"}, true
	}
	return meaning{}, false
}
