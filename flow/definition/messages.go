package definition

import "strings"

// Active are the types of messages that a user sends to say something. They enter steps and answer
// questions.
var Active = map[string]bool{
	"text": true, "image": true, "video": true, "audio": true, "document": true, "sticker": true, "location": true,
	"contacts": true, "button_reply": true, "list_reply": true, "flow_reply": true, "button": true, "order": true,
}

// Passive are the types that a flow can handle by its key on. Without a handler they change nothing
// and get no answer, as those types that the provider has yet to invent: a reaction is no answer to
// a question.
var Passive = map[string]bool{
	"reaction": true, "edit": true, "revoke": true, "system": true, "unsupported": true, "unreadable": true,
	"request_welcome": true,
}

// Fold makes what a user types comparable: case and white space do not matter.
func Fold(text string) string {
	return strings.ToLower(strings.Join(strings.Fields(text), " "))
}
