package cloudapi

// MarkRead makes the body of POST /{phone_number_id}/messages that marks a message of the user, and
// all before it, as read. With typing, the user also sees "typing..." until the next message or for
// 25 s; so it must not follow the reply. Source: Meta, "Typing indicators".
func MarkRead(messageID string, typing bool) []byte {
	receipt := struct {
		MessagingProduct string       `json:"messaging_product"`
		Status           string       `json:"status"`
		MessageID        string       `json:"message_id"`
		Typing           *typingState `json:"typing_indicator,omitempty"`
	}{MessagingProduct: "whatsapp", Status: "read", MessageID: messageID}
	if typing {
		receipt.Typing = &typingState{Type: "text"}
	}
	body, err := marshal(&receipt)
	if err != nil {
		panic("cloudapi: strings do not encode: " + err.Error())
	}
	return body
}

type typingState struct {
	Type string `json:"type"`
}
