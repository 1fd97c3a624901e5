// Package media carries files between users and bots.
//
// In: a received file has an id, for which the provider wants the channel's token and answers with
// an address that lives five minutes. A bot gets a link of Wactor's own instead (Links), signed and
// sealed so that any node can serve it without a look at the conversation. Proxy serves it: it asks
// the provider at the moment of reading, streams, compares size and SHA-256, and keeps nothing.
//
// Out: a bot answers with bytes, or a flow with a file of a folder; Uploads stores each content
// once at the provider, before the turn is committed, and the reply carries the id.
//
// The provider is behind provider.Files, as provider/cloudapi/graph implements it.
//
// Start reading at links.go, then proxy.go, then uploads.go.
package media
