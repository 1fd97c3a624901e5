package cloudapi

import "errors"

// Limits of one webhook body. Meta aggregates at most 1,000 updates in one POST ("Create a webhook
// endpoint"); the larger bound leaves room for a change of theirs, since a refused POST comes again
// for 7 days.
const (
	// maxUpdates bounds messages and statuses together, and changes, of one body.
	maxUpdates = 10_000
	// maxDepth bounds the nesting of objects and arrays; real payloads stay below 16.
	maxDepth = 32
	// MaxName bounds a user's name in bytes; what is longer is cut. WhatsApp's own have up to 25
	// characters.
	MaxName = 512
)

// Why a body as a whole is not a WhatsApp webhook. Anything smaller is an Unread.
var (
	// ErrSyntax: the body is not one JSON value.
	ErrSyntax = errors.New("cloudapi: webhook is not JSON")
	// ErrTooDeep: objects and arrays are nested deeper than maxDepth.
	ErrTooDeep = errors.New("cloudapi: webhook is nested too deeply")
	// ErrTooMany: more updates than maxUpdates.
	ErrTooMany = errors.New("cloudapi: webhook holds too many updates")
	// ErrObject: "object" is not "whatsapp_business_account", so the webhook belongs to another
	// product of Meta.
	ErrObject = errors.New("cloudapi: webhook is of another object")
	// ErrEnvelope: the body is no object, or it has no list of entries.
	ErrEnvelope = errors.New("cloudapi: webhook has no entries")
)
