package cloudapi

import (
	"bytes"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

func (d *decoder) messages(c *change) {
	if isEmpty(c.messages) {
		return
	}
	s := scanner{data: c.messages}
	var people contacts
	read := false
	for list := s.array("messages"); s.element(&list); {
		if d.count(&d.updates); d.scan.err != nil {
			return
		}
		if !read {
			people, read = readContacts(c.contacts), true
		}
		d.message(c, &s, &people)
	}
	if s.odd != "" {
		d.unread(c.phoneNumberID, s.odd+wrongType, c.messages)
	}
}

func (d *decoder) message(c *change, s *scanner, people *contacts) {
	s.peek()
	start := s.pos
	var m inbound
	m.read(s)
	raw := s.data[start:s.pos]
	if s.odd != "" {
		m.flaw, s.odd = s.odd+wrongType, ""
	}
	if m.groupID != "" { // never a private turn, never answered
		d.webhook.Changes = append(d.webhook.Changes, provider.Change{Number: c.phoneNumberID, Field: fieldGroup})
		return
	}
	message, user := m.normalise(people)
	if m.flaw != "" {
		d.unread(c.phoneNumberID, m.flaw, raw)
		return
	}
	message.Raw = bytes.Clone(raw)
	if message.Type == typeSystem {
		d.webhook.Identities = append(d.webhook.Identities,
			provider.Identity{Number: c.phoneNumberID, User: user, Message: message})
		return
	}
	d.webhook.Messages = append(d.webhook.Messages,
		provider.Message{Number: c.phoneNumberID, User: user, Message: message})
}

// typeSystem is the type of what Meta reports about a user, who has not written it.
const typeSystem = "system"

// fieldGroup is what a message of a group is counted as.
const fieldGroup = "group_messages"

// inbound is one element of value.messages while it is read.
type inbound struct {
	id        string
	from      string
	fromUser  string
	groupID   string
	contextID string
	sentMs    int64
	content   content
	// flaw says why the message cannot be understood; empty where it can.
	flaw string
}

func (m *inbound) read(s *scanner) {
	for in := s.object("message"); s.member(&in); {
		switch string(in.key) {
		case "id":
			m.id = s.text("id")
		case "from":
			m.from = s.text("from")
		case "from_user_id":
			m.fromUser = s.text("from_user_id")
		case "group_id":
			m.groupID = s.text("group_id")
		case "timestamp":
			m.sentMs = milliseconds(s.whole())
		case "context":
			m.contextID = contextID(s)
		default:
			m.content.member(s, in.key)
		}
	}
}

// contextID reads the id of the quoted message; a forwarded message has a context without one.
func contextID(s *scanner) (id string) {
	for in := s.object("context"); s.member(&in); {
		if string(in.key) == "id" {
			id = s.text("context.id")
		} else {
			s.skip()
		}
	}
	return id
}

// normalise makes the shared words of it, or sets flaw.
func (m *inbound) normalise(people *contacts) (*wactorv1.Message, *wactorv1.User) {
	if m.flaw == "" {
		m.flaw = flawOfID(m.id)
	}
	if m.flaw != "" {
		return nil, nil
	}
	user := people.sender(m.from, m.fromUser)
	if m.flaw = flawOfUser(user); m.flaw != "" {
		return nil, nil
	}
	message := &wactorv1.Message{Id: m.id, SentMs: m.sentMs, ContextId: m.contextID}
	if odd := m.content.fill(message); odd != "" {
		m.flaw = odd + wrongType
	}
	if message.Type == typeSystem {
		m.content.rename(user)
	}
	return message, user
}

func flawOfID(id string) string {
	switch {
	case id == "":
		return "id is missing"
	case len(id) > provider.MaxMessageID:
		return "id is too long"
	case hasControl(id):
		return "id holds control characters"
	}
	return ""
}

func flawOfUser(user *wactorv1.User) string {
	switch {
	case user.GetId() == "":
		return "sender is missing"
	case len(user.GetWaId()) > provider.MaxUserID || len(user.GetUserId()) > provider.MaxUserID:
		return "sender is too long"
	case hasControl(user.GetWaId()) || hasControl(user.GetUserId()):
		return "sender holds control characters"
	case user.GetWaId() == provider.UnreadUser || user.GetUserId() == provider.UnreadUser:
		return "sender is nobody"
	}
	return ""
}

// fitsID reports whether something that a webhook adds to a sender may be one of the user's ids.
// Where not, it is left out.
func fitsID(id string) bool {
	return len(id) <= provider.MaxUserID && !hasControl(id) && id != provider.UnreadUser
}

// hasControl: ids and senders become keys of the store, where control characters separate.
func hasControl(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' {
			return true
		}
	}
	return false
}

// The provider's times are whole seconds; courier has met milliseconds, told apart by their size.
const (
	firstMilliseconds = 1_000_000_000_000
	// lastMilliseconds is the end of the year 9999. A larger time is garbage; believed, it would
	// make every later message of the user look late.
	lastMilliseconds = 253_402_300_799_999
)

func milliseconds(timestamp int64) int64 {
	if 0 < timestamp && timestamp < firstMilliseconds {
		timestamp *= 1000
	}
	if timestamp < 0 || timestamp > lastMilliseconds {
		return 0
	}
	return timestamp
}
