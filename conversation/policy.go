package conversation

import wactorv1 "github.com/wactor/wactor/proto/wactor/v1"

// SessionExpired is the name of the timer whose turn ends a session. A bot can't set a timer of
// this name.
const SessionExpired = "session_expired"

// MaxTimers is how many timers a conversation may have.
const MaxTimers = 50

// textReply is a reply of a configured text; nil where it is empty.
func textReply(text string) *wactorv1.Reply {
	if text == "" {
		return nil
	}
	return &wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: text}}
}
