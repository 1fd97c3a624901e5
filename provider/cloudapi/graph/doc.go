// Package graph sends replies through the Graph API of WhatsApp: one HTTP POST for one reply, and a
// verdict on its fate.
//
// The provider has no idempotency key, so the whole care of this package is in the verdict.
// Rejected (try again) is only said where the request cannot have been processed: the provider's
// own word for it, or no connection was ever handed to the request. From the moment a connection
// was, every missing answer is Unknown, and the conversation waits for a status before it sends
// again. An answer of 2xx is Taken even if it cannot be read.
//
// Nothing is ever sent twice by itself: wire.go writes each request once; see NewTransport for what
// net/http, which serves behind a proxy, retries and why none of it applies here, and redirects are
// not followed. Bodies and addresses appear in no error and no reason.
package graph
