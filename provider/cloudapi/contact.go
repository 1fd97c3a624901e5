package cloudapi

import (
	"unicode/utf8"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// contact is one element of value.contacts.
type contact struct {
	waID   string
	userID string
	name   string
}

// contacts are the people of one change, to be found by phone or BSUID. Never by their place:
// nobody promises that contacts and messages stand in the same order, and system messages have no
// contact.
type contacts struct {
	list []contact
	// byID indexes a long list by both ids; nil for a short one, where looking through it is
	// cheaper.
	byID map[string]int
}

const indexContactsFrom = 17

// readContacts never fails: a contact only adds a name and a second id, so a strange one is left
// out.
func readContacts(list []byte) contacts {
	if len(list) == 0 {
		return contacts{}
	}
	s := scanner{data: list}
	var people contacts
	for each := s.array("contacts"); s.element(&each); {
		if one := readContact(&s); one.waID != "" || one.userID != "" {
			people.list = append(people.list, one)
		}
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
				if string(in.key) == "name" {
					c.name = s.text("name")
				} else {
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
func (p *contacts) sender(from, fromUser string) *wactorv1.User {
	waID, userID := sortIDs(from, fromUser)
	c, found := p.find(waID)
	if !found {
		c, found = p.find(userID)
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
	return &wactorv1.User{Id: id, WaId: waID, UserId: userID, Name: c.name}
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
