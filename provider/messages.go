package provider

// Said are the types of messages that a user sends to say something. They start a turn where a bot
// does not say what it receives, and a flow takes them for an answer. A type that is not here is
// kept, and given to the next turn as an event.
var Said = []string{
	"text", "image", "video", "audio", "document", "sticker", "location", "contacts",
	"button_reply", "list_reply", "flow_reply", "button", "order",
}
