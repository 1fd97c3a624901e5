// Package bot calls the programs that answer users.
//
// A Bot is handed one turn of one conversation and returns what the turn makes: the new state,
// replies, timers. It promises nothing about order or storage; that is the conversation's part.
// Three kinds exist:
//
//   - HTTP calls a program in any language over HTTP with JSON; the contract is
//     proto/wactor/v1/bot.proto in its proto3 JSON form, described for bot writers in docs/bots.md.
//   - Flow runs a flow inside the process.
//   - Func is a Go function, for programs that embed Wactor.
//
// Whatever the kind, a bot fails with a *conversation.BotError that says whether the same call may
// succeed later. Its reason goes to journals and logs: it names places and limits, never a text
// that a user or a bot wrote. Checked holds every kind to the limits of a turn and of the channel.
//
// Read bot.go and http.go first, then answer.go for what an HTTP bot may answer.
package bot
