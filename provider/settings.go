package provider

import (
	"strconv"

	"github.com/wactor/wactor/internal/secret"
)

// Settings are the keys of one channel that belong to its provider. They are a pointer to a struct
// whose fields have yaml tags and are texts, numbers, true or false, durations, secrets, or lists
// of them; the configuration decodes them. What every provider has (name, bot, pace, window, ...)
// is not among them.
type Settings interface {
	// Number returns the provider's id of the business number, and its key: two channels of one
	// provider can't have the same.
	Number() (key, id string)
	// IgnoredNumbers are other numbers of the same account, whose webhooks another program takes.
	IgnoredNumbers() []string
	// WebhookSecrets are what webhooks are authenticated with, at least one. The keys of links to
	// files are derived of them: the first one signs, any of them is accepted.
	WebhookSecrets() []string
	// Validate reports every mistake.
	Validate(report Report)
	// Warn reports what a channel starts with though it is likely a mistake.
	Warn(report Report)
	// Codec returns the channel's codec.
	Codec() Codec
}

// Report takes what is wrong with the settings of a channel. A key is as in the file: app_secret,
// ignore_numbers[2]. A message says what is wrong ("must have digits only"), the remedy what to do
// about it; neither quotes a secret.
type Report interface {
	// Problem reports what is wrong with the value of a key.
	Problem(key, remedy, format string, args ...any)
	// Quote shows a text as the file has it: a reference stays one.
	Quote(key, value string) string
	// Required reports a value that is missing.
	Required(key string, empty bool, remedy string)
	// URL reports what is no address of an HTTP server.
	URL(key, value string)
	// Tokens reports that there is no secret, one that is empty, and one that holds what no secret
	// of a provider does: a space or line break that was copied along.
	Tokens(key, remedy string, secrets ...secret.Secret)
	// Weak warns of secrets that can be guessed.
	Weak(key string, secrets ...secret.Secret)
	// Plain warns of an address of another machine that is called without TLS.
	Plain(key, address string)
}

// Element is the key of one element of a list: Element("numbers", 2) is numbers[2].
func Element(key string, i int) string { return key + "[" + strconv.Itoa(i) + "]" }
