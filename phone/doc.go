// Package phone is a WhatsApp phone in the browser, for trying a bot without an account.
//
// What a person writes on the page goes the way of a real message: a signed webhook over HTTP to
// the bot's public listener, repeated until it is answered 200. What the bot answers comes in at a
// Graph API of its own (GraphHandler), and reaches the page as server-sent events. Nothing of the
// bot knows that the phone is not Meta.
//
// It is made for one developer's machine: each visitor of the page may write as any user. It
// answers to localhost and to IP addresses only, and takes messages from its own page only, so that
// no other site in the same browser can use it. It keeps a bounded history in memory, writes
// nothing to disk and logs nothing.
//
// Start reading at phone.go; the page is in page/, plain HTML, CSS and JavaScript modules without a
// build.
package phone
