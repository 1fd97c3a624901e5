package cloudapi

import (
	"bytes"

	"github.com/wactor/wactor/provider"
)

// Decode reads the body of a webhook POST whose signature was verified. An error (ErrSyntax,
// ErrTooDeep, ErrTooMany, ErrObject, ErrEnvelope) means that the body as a whole is no webhook of
// WhatsApp; a part that cannot be understood is no error but an Unread.
//
// It reads the envelope once and remembers where the lists of a change lie, then reads those lists:
// the phone number and the contacts that a message needs may stand behind it.
func Decode(body []byte) (*provider.Batch, error) {
	d := decoder{webhook: new(provider.Batch), scan: scanner{data: body}}
	s := &d.scan
	var object string
	isObject, listed := s.peek() == '{', false
	for in := s.object("body"); s.member(&in); {
		switch string(in.key) {
		case "object":
			object = s.word("object", knownWords)
		case "entry":
			listed = s.peek() == '['
			d.entries()
		default:
			s.skip()
		}
	}
	s.end()
	switch {
	case s.err != nil:
		return nil, s.err
	case isObject && object != accountObject:
		return nil, ErrObject
	case !listed:
		return nil, ErrEnvelope
	}
	return d.webhook, nil
}

const accountObject = "whatsapp_business_account"

// decoder is one run of Decode. scan is the only scanner that can meet a syntax mistake: all others
// read what it passed.
type decoder struct {
	webhook *provider.Batch
	scan    scanner
	updates int
	changes int
}

func (d *decoder) entries() {
	s := &d.scan
	for list := s.array("entry"); s.element(&list); {
		start := d.start()
		for in := s.object("entry"); s.member(&in); {
			switch string(in.key) {
			case "id":
				id := s.skip()
				d.webhook.Test = string(id) == sampleEntry || d.webhook.Test
			case "changes":
				d.changesOf()
			default:
				s.skip()
			}
		}
		if s.odd != "" && s.err == nil {
			d.count(&d.changes)
			d.unread("", s.odd+wrongType, s.data[start:s.pos])
		}
		s.odd = ""
	}
}

func (d *decoder) changesOf() {
	s := &d.scan
	for list := s.array("changes"); s.element(&list); {
		if d.count(&d.changes); s.err != nil {
			return
		}
		start := d.start()
		var c change
		c.read(s)
		c.raw = s.data[start:s.pos]
		if s.err == nil {
			d.take(&c)
		}
		s.odd = ""
	}
}

// start returns where the next value begins.
func (d *decoder) start() int {
	d.scan.peek()
	return d.scan.pos
}

func (d *decoder) count(updates *int) {
	if *updates++; *updates > maxUpdates {
		d.scan.fail(ErrTooMany)
	}
}

func (d *decoder) unread(phoneNumberID, reason string, raw []byte) {
	d.webhook.Unread = append(d.webhook.Unread, provider.Unread{Number: phoneNumberID, Reason: reason,
		Raw: bytes.Clone(raw)})
}

// knownWords holds the values that almost every webhook repeats: reading one of them allocates
// nothing.
var knownWords = words(accountObject, typePayment, fieldMessages, "standby", "sent", "delivered", "read", "played",
	"failed",
	"deleted")

func words(list ...string) map[string]string {
	known := make(map[string]string, len(list))
	for _, word := range list {
		known[word] = word
	}
	return known
}
