// Package providertest holds a provider's codec to what the rest of Wactor relies on. Each provider
// has a test that calls Run with webhooks of its own.
package providertest

import (
	"bytes"
	"net/http"
	"net/url"
	"testing"

	"google.golang.org/protobuf/proto"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// Suite is what a provider brings.
type Suite struct {
	Codec provider.Codec
	// Sign returns the header with which the provider would send this body.
	Sign func(body []byte) http.Header
	// Webhooks are bodies that decode, each with at least one part; between them they hold a
	// message and a status.
	Webhooks [][]byte
	// Strange are authentic bodies, or parts of one, that can't be read.
	Strange [][]byte
	// Challenge verifies the callback's address, and Answer is the answer to it. A provider without
	// one leaves both empty.
	Challenge url.Values
	Answer    string
}

// Run holds the codec to all of it.
func Run(t *testing.T, s Suite) {
	t.Run("signature", s.signature)
	t.Run("challenge", s.challenge)
	t.Run("webhooks", s.webhooks)
	t.Run("strange", s.strange)
	t.Run("check", s.check)
}

// signature: what the provider signed is authentic, whole and in pieces; anything else is not.
func (s Suite) signature(t *testing.T) {
	for _, body := range append(s.Webhooks, []byte("x")) {
		header := s.Sign(body)
		if !provider.Authentic(s.Codec, header, body) {
			t.Errorf("a signed body is not authentic: %.80q", body)
		}
		signature, ok := s.Codec.Signature(header)
		if !ok {
			t.Fatal("a good header can't match")
		}
		for i := range body {
			_, _ = signature.Write(body[i : i+1])
		}
		if !signature.Authentic() {
			t.Error("a body in pieces is not authentic")
		}
		if provider.Authentic(s.Codec, http.Header{}, body) {
			t.Error("a body without a signature is authentic")
		}
	}
}

func (s Suite) challenge(t *testing.T) {
	answer, ok := s.Codec.Challenge(s.Challenge)
	if want := len(s.Challenge) > 0; ok != want || want && string(answer) != s.Answer {
		t.Errorf("answered %q, %v", answer, ok)
	}
	if _, ok := s.Codec.Challenge(url.Values{}); ok {
		t.Error("a request without a challenge was answered")
	}
}

// webhooks: messages and statuses are whole, their ids fit the store, and they outlive the body.
func (s Suite) webhooks(t *testing.T) {
	messages, statuses := 0, 0
	for _, body := range s.Webhooks {
		own := bytes.Clone(body)
		batch, err := s.Codec.Decode(own)
		if err != nil {
			t.Fatalf("%v in %.80q", err, body)
		}
		again, _ := s.Codec.Decode(bytes.Clone(body))
		clear(own) // the buffer is used again
		for i, m := range batch.Messages {
			whole(t, m.User, m.Message)
			if m.Message.ReceivedMs != 0 {
				t.Error("a codec knows no clock")
			}
			if !proto.Equal(m.Message, again.Messages[i].Message) || !proto.Equal(m.User, again.Messages[i].User) {
				t.Error("a message differs from decode to decode, or changes with the body")
			}
		}
		for _, in := range batch.Identities {
			whole(t, in.User, in.Message)
		}
		for _, status := range batch.Statuses {
			if status.MessageID == "" || status.Status == "" {
				t.Errorf("a status without id or word: %+v", status)
			}
		}
		if len(batch.Unread) > 0 {
			t.Errorf("unread: %+v", batch.Unread)
		}
		messages, statuses = messages+len(batch.Messages), statuses+len(batch.Statuses)
	}
	if messages == 0 || statuses == 0 {
		t.Errorf("%d messages and %d statuses; the suite needs both", messages, statuses)
	}
}

func whole(t *testing.T, user *wactorv1.User, message *wactorv1.Message) {
	t.Helper()
	if user.GetId() == "" || user.GetId() == provider.UnreadUser || len(user.GetId()) > provider.MaxUserID {
		t.Errorf("user %q can't be a conversation", user.GetId())
	}
	if message.GetId() == "" || len(message.GetId()) > provider.MaxMessageID || message.GetType() == "" ||
		len(message.GetRaw()) == 0 {
		t.Errorf("message %q of type %q with %d raw bytes", message.GetId(), message.GetType(), len(message.GetRaw()))
	}
}

// strange: what can't be read is kept or reported, and costs no panic.
func (s Suite) strange(t *testing.T) {
	for _, body := range s.Strange {
		batch, err := s.Codec.Decode(body)
		if err == nil && len(batch.Unread) == 0 {
			t.Errorf("%.80q is lost without a word", body)
		}
		if err == nil {
			for _, piece := range batch.Unread {
				if piece.Reason == "" || len(piece.Raw) == 0 {
					t.Errorf("unread without reason or bytes: %+v", piece)
				}
			}
		}
	}
}

// check: a short text can be sent, an empty reply can't.
func (s Suite) check(t *testing.T) {
	if err := s.Codec.Check(&wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: "hi"}}); err != nil {
		t.Errorf("a short text: %v", err)
	}
	if s.Codec.Check(&wactorv1.Reply{}) == nil {
		t.Error("an empty reply passes")
	}
	if s.Codec.Capabilities().Company == "" {
		t.Error("the logs don't know who runs the provider")
	}
}
