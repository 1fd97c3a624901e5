package cloudapi

import (
	"errors"

	"github.com/wactor/wactor/provider"
)

// ErrNoMessageID: the answer to a send does not name the message that was made.
var ErrNoMessageID = errors.New("cloudapi: answer names no message id")

// DecodeSendResponse reads the provider's message id from the body of a 2xx answer: {"messages":
// [{"id": "wamid..."}]}. Where there is none (a proxy's page, an answer cut off) the error is
// ErrNoMessageID; the message was taken all the same.
func DecodeSendResponse(body []byte) (id string, err error) {
	s := scanner{data: body}
	for in := s.object("body"); s.member(&in); {
		if string(in.key) != "messages" {
			s.skip()
			continue
		}
		for list := s.array("messages"); s.element(&list); {
			one := field(&s, "message", "id")
			if id == "" {
				id = one
			}
		}
	}
	s.end()
	if s.err != nil || id == "" || len(id) > provider.MaxMessageID {
		return "", ErrNoMessageID
	}
	return id, nil
}
