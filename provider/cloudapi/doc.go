// Package cloudapi is the codec of the WhatsApp Business Cloud API: webhook bytes to messages and
// statuses, replies to request bodies, signatures, limits and error classes. It is pure: no I/O, no
// clock, no goroutine, no state.
//
// What it promises about a webhook (Decode):
//
//   - A body that is signed but strange never takes its neighbours with it. The envelope must be
//     right; below it, each message and each status stands alone, and what cannot be understood
//     comes back as Unread with its bytes. A webhook that is refused is redelivered whole for 7
//     days and then lost whole.
//   - Unknown fields, unknown message types and unknown webhook fields are no errors: Meta adds
//     them without notice.
//   - Work and memory are bounded by the body: depth 32, 10,000 updates, every byte scanned at most
//     five times (that much for what is tapped in an edited message: a value may stand before the
//     word that says what it is).
//   - Nothing returned aliases the body; its buffer may be used again.
//
// And about a reply (Check, Encode): what passes Check is within every limit that WhatsApp
// documents, and it encodes.
//
// Read webhook.go and decode.go first for the way in, check.go and encode.go for the way out,
// failure.go for what the provider's refusals mean.
package cloudapi
