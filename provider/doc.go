// Package provider holds the words that every provider of WhatsApp messages shares with the rest
// of Wactor: what a webhook holds, and what became of a reply. It is pure, and knows no provider.
//
// A provider is a package of its own below this one (cloudapi). The core of a conversation decides
// by an Outcome and never by a provider's own code.
package provider
