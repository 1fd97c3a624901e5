package cloudapi

import (
	"bytes"
	"slices"

	"google.golang.org/protobuf/proto"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

func (d *decoder) messages(c *change) {
	if isEmpty(c.messages) {
		return
	}
	s := scanner{data: asList(c.messages)}
	var people contacts
	read := false
	for list := s.array("messages"); s.element(&list); {
		if d.count(&d.updates); d.scan.err != nil {
			return
		}
		if !read {
			people, read = readContacts(c), true
		}
		d.message(c, &s, &people)
	}
	if s.odd != "" {
		d.unread(c.phoneNumberID, s.odd+wrongType, c.messages)
	}
}

// asList makes a list of one element that stands where a list should.
func asList(raw []byte) []byte {
	if len(raw) == 0 || raw[0] != '{' {
		return raw
	}
	return slices.Concat([]byte{'['}, raw, []byte{']'})
}

// message reads one element. A part of it that is odd is left out, and the message is delivered:
// only without id or sender there is nothing to deliver.
func (d *decoder) message(c *change, s *scanner, people *contacts) {
	s.peek()
	start := s.pos
	var m inbound
	m.read(s)
	raw := s.data[start:s.pos]
	m.odd, s.odd = s.odd, ""
	if m.groupID != "" { // never a private turn, never answered
		d.webhook.Changes = append(d.webhook.Changes, provider.Change{Number: c.phoneNumberID, Field: fieldGroup})
		return
	}
	m.fitIDs()
	user := people.sender(m.from, m.fromUser)
	if m.content.kind == typeSystem && m.from == "" && m.fromUser == "" {
		// Whose ids changed is not said here; user_id_update says it.
		d.webhook.Changes = append(d.webhook.Changes, provider.Change{Number: c.phoneNumberID, Field: typeSystem})
		return
	}
	if flaw := m.flaw(user); flaw != "" {
		d.unread(c.phoneNumberID, flaw, raw)
		return
	}
	message := m.normalise()
	message.Raw = bytes.Clone(raw)
	if message.Type == typeSystem {
		user = proto.CloneOf(user)
		m.content.rename(user)
		d.webhook.Identities = append(d.webhook.Identities,
			provider.Identity{Number: c.phoneNumberID, User: user, Message: message})
		return
	}
	if len(d.webhook.Messages) == cap(d.webhook.Messages) { // as many as the rest holds, if all are of this size
		most := min((len(s.data)-s.pos)/(len(raw)+1)+1, maxUpdates)
		d.webhook.Messages = slices.Grow(d.webhook.Messages, most)
	}
	d.webhook.Messages = append(d.webhook.Messages,
		provider.Message{Number: c.phoneNumberID, User: user, Message: message, Odd: m.odd})
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
	// odd names the first part that is of the wrong JSON type and was left out.
	odd string
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

// fitIDs leaves an id of the sender out that can't be one, where there is another.
func (m *inbound) fitIDs() {
	switch {
	case m.from == "" || m.fromUser == "":
	case !fitsID(m.fromUser) && fitsID(m.from):
		m.fromUser, m.odd = "", "from_user_id"
	case !fitsID(m.from) && fitsID(m.fromUser):
		m.from, m.odd = "", "from"
	}
}

// flaw says why the message can't be delivered; empty where it can.
func (m *inbound) flaw(user *wactorv1.User) string {
	flaw := flawOfID(m.id)
	if flaw == "" {
		flaw = flawOfUser(user)
	}
	if flaw != "" && m.odd != "" && (m.id == "" || user.Id == "") {
		return m.odd + wrongType
	}
	return flaw
}

// normalise makes the shared words of it.
func (m *inbound) normalise() *wactorv1.Message {
	message := &wactorv1.Message{Id: m.id, SentMs: m.sentMs, ContextId: m.contextID}
	if odd := m.content.fill(message); m.odd == "" {
		m.odd = odd
	}
	return message
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
		return "sender is reserved"
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

// The provider's times are whole seconds; courier has met milliseconds, distinguished by their
// size.
const (
	firstMilliseconds = 1_000_000_000_000
	// lastMilliseconds is the end of the year 9999. A larger time is garbage: taken as it is, it
	// would make every later message of the user look late.
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
