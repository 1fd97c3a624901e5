// Package phone is a WhatsApp phone in the browser, for trying a bot without an account.
//
// What a person writes on the page goes the way of a real message: a signed webhook over HTTP to the bot's public listener. What
// the bot answers comes in at a Graph API of its own (GraphHandler), and reaches the page as server-sent events. Nothing of the
// bot knows that the phone is not Meta.
package phone
