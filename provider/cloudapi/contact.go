package cloudapi

import (
	"strings"
	"unicode/utf8"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// contact is one element of value.contacts.
type contact struct {
	waID     string
	userID   string
	name     string
	username string
}

// contacts are the people of one change, to be found by phone or BSUID. Never by their place:
// contacts and messages need not stand in the same order, and system messages have no
// contact.
type contacts struct {
	list []contact
	// byID indexes a long list by both ids; nil for a short one, where looking through it is
	// cheaper.
	byID map[string]int
	// messages are those of the change, and alone is what lone found out.
	messages []byte
	alone    verdict
	// last is whom the message before was from: most of a large webhook is of one sender.
	last struct {
		from, fromUser string
		user           *wactorv1.User
	}
}

// verdict is the answer to a question that is asked at most once.
type verdict int

const (
	unasked verdict = iota
	yes
	no
)

const indexContactsFrom = 17

// readContacts never fails: a contact only adds names and a second id, so a strange one is left
// out.
func readContacts(c *change) contacts {
	people := contacts{messages: c.messages}
	if len(c.contacts) == 0 {
		return people
	}
	s := scanner{data: asList(c.contacts)}
	for each := s.array("contacts"); s.element(&each); {
		people.list = append(people.list, readContact(&s))
	}
	if len(people.list) >= indexContactsFrom {
		people.index()
	}
	return people
}

func readContact(s *scanner) (c contact) {
	for in := s.object("contact"); s.member(&in); {
		switch string(in.key) {
		case "wa_id":
			c.waID = s.text("wa_id")
		case "user_id":
			c.userID = s.text("user_id")
		case "profile":
			for in := s.object("profile"); s.member(&in); {
				switch string(in.key) {
				case "name":
					c.name = s.text("name")
				case "username":
					c.username = s.text("username")
				default:
					s.skip()
				}
			}
		default:
			s.skip()
		}
	}
	c.waID, c.userID = sortIDs(c.waID, c.userID)
	if !fitsID(c.waID) {
		c.waID = ""
	}
	if !fitsID(c.userID) {
		c.userID = ""
	}
	c.name = cut(c.name, MaxName)
	c.username = cut(strings.TrimPrefix(c.username, "@"), MaxName) // WhatsApp writes it both ways
	return c
}

// cut shortens a text to so many bytes, at most, at the end of a character.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

func (p *contacts) index() {
	p.byID = make(map[string]int, 2*len(p.list))
	for i, c := range p.list {
		for _, id := range [2]string{c.waID, c.userID} {
			if _, taken := p.byID[id]; !taken && id != "" {
				p.byID[id] = i
			}
		}
	}
}

func (p *contacts) find(id string) (contact, bool) {
	if id == "" {
		return contact{}, false
	}
	if p.byID != nil {
		i, ok := p.byID[id]
		if !ok {
			return contact{}, false
		}
		return p.list[i], true
	}
	for _, c := range p.list {
		if c.waID == id || c.userID == id {
			return c, true
		}
	}
	return contact{}, false
}

// sender makes the user of a message from its own ids, completed by the contact with the same phone
// or BSUID. What the message says of itself wins. The Id is empty where there is neither phone nor
// BSUID.
//
// A lone contact and a lone sender are one person whatever their ids say: WhatsApp writes some
// numbers of Brazil, Mexico and Argentina in two ways. Such a contact lends its name, and its ids
// only to a message that has none: two ids that differ are never taken for one person's.
//
// Messages in a row of one sender share the user: it is not to be changed.
func (p *contacts) sender(from, fromUser string) *wactorv1.User {
	if p.last.user == nil || p.last.from != from || p.last.fromUser != fromUser {
		p.last.from, p.last.fromUser, p.last.user = from, fromUser, p.newSender(from, fromUser)
	}
	return p.last.user
}

func (p *contacts) newSender(from, fromUser string) *wactorv1.User {
	waID, userID := sortIDs(from, fromUser)
	c, found := p.find(waID)
	if !found {
		c, found = p.find(userID)
	}
	if !found && p.lone() {
		c = p.list[0]
		found = waID == "" && userID == ""
	}
	if found && waID == "" {
		waID = c.waID
	}
	if found && userID == "" {
		userID = c.userID
	}
	id := waID
	if id == "" {
		id = userID
	}
	return &wactorv1.User{Id: id, WaId: waID, UserId: userID, Name: c.name, Username: c.username}
}

// lone reports whether the change has one contact, and messages of one sender.
func (p *contacts) lone() bool {
	if p.alone == unasked {
		p.alone = no
		if len(p.list) == 1 && oneSender(p.messages) {
			p.alone = yes
		}
	}
	return p.alone == yes
}

// oneSender reports whether all messages that name a sender name the same one. System messages are
// not counted: they name whom they are about.
func oneSender(messages []byte) bool {
	var waID, userID string
	s := scanner{data: asList(messages)}
	for list := s.array("messages"); s.element(&list); {
		var from, fromUser, kind string
		for in := s.object("message"); s.member(&in); {
			switch string(in.key) {
			case "from":
				from = s.text("from")
			case "from_user_id":
				fromUser = s.text("from_user_id")
			case "type":
				kind = s.word("type", withObject)
			default:
				s.skip()
			}
		}
		if kind == typeSystem {
			continue
		}
		from, fromUser = sortIDs(from, fromUser)
		switch {
		case from == "" && fromUser == "":
		case waID == "" && userID == "":
			waID, userID = from, fromUser
		case from != "" && from == waID, fromUser != "" && fromUser == userID:
		default:
			return false
		}
	}
	return true
}

// sortIDs puts a BSUID that stands in the place of a phone where it belongs: some intermediaries
// and early payloads send it as from or wa_id.
func sortIDs(phone, userID string) (waID, bsuid string) {
	if !IsBSUID(phone) {
		return phone, userID
	}
	if userID == "" {
		userID = phone
	}
	return "", userID
}

// IsBSUID tells a business-scoped user id from a phone by its shape: two letters of a country, a
// dot, 1 to 128 letters and digits; "ENT." may stand between (the parent form). Source: Meta,
// "Business-scoped user IDs".
func IsBSUID(id string) bool {
	if len(id) < 4 || !isLetter(id[0]) || !isLetter(id[1]) || id[2] != '.' {
		return false
	}
	rest := id[3:]
	if len(rest) > 4 && rest[:4] == "ENT." {
		rest = rest[4:]
	}
	if len(rest) > 128 {
		return false
	}
	for i := range len(rest) {
		if !isLetter(rest[i]) && !isDigit(rest[i]) {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
