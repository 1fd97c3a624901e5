package conversation

import (
	"errors"
	"strings"
)

// ID names a conversation: one user on one channel. Its text form is "<channel>/<user>".
type ID struct {
	// Channel is the channel's name in the configuration; it holds no slash.
	Channel string
	// User is the user's identity as the provider's webhook gave it: phone digits or a BSUID.
	User string
}

// ErrIdentity reports a text that names no conversation.
var ErrIdentity = errors.New("conversation: identity is not <channel>/<user>")

func (id ID) String() string { return id.Channel + "/" + id.User }

// ParseID is the inverse of ID.String. The user may hold slashes, the channel may not.
func ParseID(text string) (ID, error) {
	channel, user, found := strings.Cut(text, "/")
	if !found || channel == "" || user == "" {
		return ID{}, ErrIdentity
	}
	return ID{Channel: channel, User: user}, nil
}
