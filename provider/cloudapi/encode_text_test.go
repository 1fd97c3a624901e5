package cloudapi

import (
	"testing"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// FuzzEncodeText: what is written for a text is what encoding/json writes.
func FuzzEncodeText(f *testing.F) {
	for _, text := range []string{"hi", "", "Grüße 👋", "a\nb", `"\`, "<b>&amp;", "\u2028", "\xff", "�", "\x7f", "\x00"} {
		f.Add(text, "15550001", "w1.a.1.15550001")
	}
	f.Add("hi", "DE.1234", "")
	f.Fuzz(func(t *testing.T, text, to, replyID string) {
		reply := &wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: text}}
		phone, user := Recipient{WaID: to}.address()
		r := request{MessagingProduct: "whatsapp", RecipientType: "individual", To: phone, Recipient: user,
			ReplyID: replyID}
		fast, ok := r.encodeText(reply)
		if !ok {
			return
		}
		if !r.content(reply) {
			t.Fatal("a text is no content")
		}
		if slow, err := marshal(&r); err != nil || string(slow) != string(fast) {
			t.Errorf("%s\n%s, %v", fast, slow, err)
		}
	})
}

// TestEncodeTextIsUsed: an ordinary reply goes the short way.
func TestEncodeTextIsUsed(t *testing.T) {
	for text, want := range map[string]bool{"step 1: hello": true, "Grüße 👋": true, "a\nb": false, "\xff": false} {
		r := request{To: "+1"}
		if _, ok := r.encodeText(&wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: text}}); ok != want {
			t.Errorf("%q: %v", text, ok)
		}
	}
}
