package cloudapi

const fieldMessages = "messages"

// What the Test button of Meta's console sends has an entry of the id 0, and messages to this
// number.
const (
	sampleEntry  = `"0"`
	sampleNumber = "123456123"
)

// change is one element of entry[].changes: what happened on one phone number. The lists are kept
// as bytes until all of the change is known.
type change struct {
	field         string
	phoneNumberID string
	contacts      []byte
	messages      []byte
	statuses      []byte
	userUpdates   []byte
	errors        []byte
	content       []byte // all of value
	raw           []byte
	// odd names the first part of a wrong type.
	odd string
}

func (c *change) read(s *scanner) {
	for in := s.object("change"); s.member(&in); {
		switch string(in.key) {
		case "field":
			c.field = s.word("field", knownWords)
		case "value":
			s.peek()
			start := s.pos
			c.value(s)
			c.content = s.data[start:s.pos]
		default:
			s.skip()
		}
	}
	c.odd = s.odd
}

func (c *change) value(s *scanner) {
	for in := s.object("value"); s.member(&in); {
		switch string(in.key) {
		case "metadata":
			c.metadata(s)
		case "contacts":
			c.contacts = s.skip()
		case "messages":
			c.messages = s.skip()
		case "statuses":
			c.statuses = s.skip()
		case "errors":
			c.errors = s.skip()
		case fieldUserIDUpdate:
			c.userUpdates = s.skip()
		default:
			s.skip()
		}
	}
}

func (c *change) metadata(s *scanner) {
	for in := s.object("metadata"); s.member(&in); {
		if string(in.key) == "phone_number_id" {
			c.phoneNumberID = s.text("metadata.phone_number_id")
		} else {
			s.skip()
		}
	}
}

// take sorts a change into the webhook.
//
// Only the field "messages" can hold something to answer, and user_id_update something to know. A
// standby copy looks just the same, but its thread belongs to another app; echoes and history are
// the business's own words.
func (d *decoder) take(c *change) {
	if c.phoneNumberID == sampleNumber {
		d.webhook.Test = true
	}
	updates := c.field == fieldUserIDUpdate
	switch {
	case c.field == "" && c.odd != "":
		d.unread(c.phoneNumberID, c.odd+wrongType, c.raw)
	case c.field == "" && !(isEmpty(c.messages) && isEmpty(c.statuses) && isEmpty(c.userUpdates)):
		d.unread(c.phoneNumberID, "field is missing", c.raw)
	case c.field != fieldMessages && !updates:
		d.other(c)
	case c.odd != "":
		d.unread(c.phoneNumberID, c.odd+wrongType, c.raw)
	case updates && isEmpty(c.userUpdates), !updates && isEmpty(c.messages) && isEmpty(c.statuses):
		d.other(c)
	case c.phoneNumberID == "":
		d.unread("", "metadata.phone_number_id is missing", c.raw)
	case updates:
		d.userUpdates(c)
	default:
		d.messages(c)
		d.statuses(c)
	}
}

// isEmpty tells a list that is missing, null or [].
func isEmpty(list []byte) bool {
	s := scanner{data: list}
	switch s.peek() {
	case '[':
		in := s.array("")
		return !s.element(&in)
	case 0, 'n':
		return true
	}
	return false
}

func (d *decoder) other(c *change) {
	news := newsOf(c)
	news.Number = c.phoneNumberID
	d.webhook.Changes = append(d.webhook.Changes, news)
}

const wrongType = " is of the wrong JSON type"
