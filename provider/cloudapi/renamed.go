package cloudapi

import (
	"bytes"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// A user who changes the phone number gets a new BSUID with it. WhatsApp tells in three ways, in
// any order and not always all: a system message from the old number or BSUID that holds the new
// ones, a change of the field user_id_update that holds both BSUIDs, and messages that come under
// the new ones. In the first two the old identity is User.Id, so that they reach the conversation
// that there is, and the new ones are WaId and UserId.

const fieldUserIDUpdate = "user_id_update"

// rename puts the new ids that a system message tells into its user.
func (c *content) rename(user *wactorv1.User) {
	raw := c.find("system")
	if raw == nil {
		return
	}
	before := user.UserId
	s := scanner{data: raw}
	var phone, older, userID string
	for in := s.object("system"); s.member(&in); {
		switch string(in.key) {
		case "wa_id":
			phone = s.text("wa_id")
		case "new_wa_id": // the older form
			older = s.text("new_wa_id")
		case "user_id":
			userID = s.text("user_id")
		default:
			s.skip()
		}
	}
	if phone == "" {
		phone = older
	}
	become(user, phone, userID)
	if phone == "" && user.UserId != before {
		// A BSUID changes with the phone number: that of before is the user's no longer, and the
		// new one is withheld.
		user.WaId = ""
	}
}

// become gives a user new ids; strange ones are left out, since they would become keys of the
// store.
func become(user *wactorv1.User, phone, userID string) {
	phone, userID = sortIDs(phone, userID)
	if phone != "" && fitsID(phone) {
		user.WaId = phone
	}
	if userID != "" && fitsID(userID) {
		user.UserId = userID
	}
}

// userUpdates makes a system message of each element of value.user_id_update: it reaches the old
// identity's conversation.
func (d *decoder) userUpdates(c *change) {
	s := scanner{data: asList(c.userUpdates)}
	for list := s.array(fieldUserIDUpdate); s.element(&list); {
		if d.count(&d.updates); d.scan.err != nil {
			return
		}
		s.peek()
		start := s.pos
		u := readUserUpdate(&s)
		raw := s.data[start:s.pos]
		s.odd = ""
		user := &wactorv1.User{Id: u.previous, UserId: u.previous}
		// The change has no id of its own; the two BSUIDs name it.
		id := fieldUserIDUpdate + "." + u.previous + "." + u.current
		if u.previous == "" || u.current == "" || flawOfUser(user) != "" || flawOfID(id) != "" {
			d.unread(c.phoneNumberID, "user_id_update names no two ids", raw)
			continue
		}
		become(user, u.phone, u.current)
		d.webhook.Identities = append(d.webhook.Identities, provider.Identity{
			Number: c.phoneNumberID, User: user, Message: &wactorv1.Message{
				Id: id, Type: typeSystem, SentMs: milliseconds(u.timestamp), Raw: bytes.Clone(raw),
			},
		})
	}
	if s.odd != "" {
		d.unread(c.phoneNumberID, s.odd+wrongType, c.userUpdates)
	}
}

type userUpdate struct {
	phone, previous, current string
	timestamp                int64
}

func readUserUpdate(s *scanner) (u userUpdate) {
	for in := s.object(fieldUserIDUpdate); s.member(&in); {
		switch string(in.key) {
		case "wa_id":
			u.phone = s.text("wa_id")
		case "timestamp":
			u.timestamp = s.whole()
		case "user_id":
			for in := s.object("user_id"); s.member(&in); {
				switch string(in.key) {
				case "previous":
					u.previous = s.text("previous")
				case "current":
					u.current = s.text("current")
				default:
					s.skip()
				}
			}
		default:
			s.skip()
		}
	}
	return u
}
