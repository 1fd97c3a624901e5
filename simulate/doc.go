// Package simulate plays many WhatsApp users against any webhook, with a fake Graph API behind the
// bot, and tells whether the bot lost, doubled, raced or disordered anything.
//
// The bot must be a counter: it answers the user's n-th message <text> with "step <n>: <text>", and
// sends its replies to the fake Graph API. That is enough to see every session race: a state that
// was read twice gives two replies of one step, a message that ran twice gives two replies of one
// text, a lost one gives none.
//
// script.go decides what is sent, check.go judges what came back; both are pure. run.go does the
// work between them.
package simulate
