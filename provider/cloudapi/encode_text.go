package cloudapi

import (
	"unicode/utf8"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// encodeText writes the request of a plain text, as most replies are, without reflection; false
// where there is more in it than that. What it writes is byte for byte what marshal would.
func (r *request) encodeText(reply *wactorv1.Reply) ([]byte, bool) {
	content, ok := reply.GetContent().(*wactorv1.Reply_Text)
	if !ok || r.Context != nil || reply.GetPreviewUrl() || !isPlain(content.Text) || !isPlain(r.To) ||
		!isPlain(r.Recipient) || !isPlain(r.ReplyID) {
		return nil, false
	}
	out := make([]byte, 0, 192+len(content.Text)+len(r.ReplyID)+len(r.Recipient))
	out = append(out, `{"messaging_product":"whatsapp","recipient_type":"individual"`...)
	for _, member := range [...]struct{ name, value string }{
		{`,"to":"`, r.To}, {`,"recipient":"`, r.Recipient}, {`,"biz_opaque_callback_data":"`, r.ReplyID},
	} {
		if member.value != "" {
			out = append(append(append(out, member.name...), member.value...), '"')
		}
	}
	out = append(append(out, `,"type":"text","text":{"body":"`...), content.Text...)
	return append(out, `"}}`...), true
}

// isPlain reports whether a JSON string holds this text as it is.
func isPlain(text string) bool {
	ascii := true
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c == '"' || c == '\\' || c == 0x7f:
			return false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	if ascii {
		return true
	}
	for _, c := range text {
		if c == utf8.RuneError || c == '\u2028' || c == '\u2029' { // written otherwise, or no UTF-8
			return false
		}
	}
	return true
}
