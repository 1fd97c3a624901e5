package cloudapi

import (
	"math"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// media reads the file of a message. The url of newer payloads is left to Raw: it needs the access
// token and dies within minutes, while Media.Link promises a public address.
func media(s *scanner, kind string, m *wactorv1.Message) {
	file := &wactorv1.Media{Type: kind}
	for in := s.object("media"); s.member(&in); {
		switch string(in.key) {
		case "id":
			file.Id = s.text("media.id")
		case "mime_type":
			file.MimeType = s.text("media.mime_type")
		case "sha256":
			file.Sha256 = s.text("media.sha256")
		case "filename":
			file.Filename = s.text("media.filename")
		case "caption":
			file.Caption = s.text("media.caption")
		case "voice":
			file.Voice = s.flag("media.voice")
		default:
			s.skip()
		}
	}
	if kind == "voice" { // very old payloads; today a voice note is audio with a flag
		file.Type, file.Voice = "audio", true
		m.Type = "audio"
	}
	m.Media, m.Text = file, file.Caption
}

// location reads a place. One without two coordinates on earth is left to Raw: 0, 0 is a place.
func location(s *scanner, m *wactorv1.Message) {
	place := new(wactorv1.Location)
	var north, east bool
	for in := s.object("location"); s.member(&in); {
		switch string(in.key) {
		case "latitude":
			place.Latitude, north = s.decimal("location.latitude")
		case "longitude":
			place.Longitude, east = s.decimal("location.longitude")
		case "name":
			place.Name = s.text("location.name")
		case "address":
			place.Address = s.text("location.address")
		default:
			s.skip()
		}
	}
	if !north || !east || math.Abs(place.Latitude) > 90 || math.Abs(place.Longitude) > 180 {
		s.note("location")
		return
	}
	m.Location = place
}

// interactive reads the answer to buttons, to a list or to a WhatsApp Flow. Answers of other kinds
// keep the provider's name as their type (call_permission_reply, ...), with all else in Raw.
func interactive(s *scanner, m *wactorv1.Message) {
	var kind string
	var button, row, flow []byte
	for in := s.object("interactive"); s.member(&in); {
		switch string(in.key) {
		case "type":
			kind = s.word("interactive.type", ours)
		case "button_reply":
			button = s.skip()
		case "list_reply":
			row = s.skip()
		case "nfm_reply":
			flow = s.skip()
		default:
			s.skip()
		}
	}
	switch kind {
	case "button_reply":
		pressed(s, m, typeButtonReply, button)
	case "list_reply":
		pressed(s, m, typeListReply, row)
	case "nfm_reply":
		flowReply(s, m, flow)
	default:
		m.Type = newType(kind)
	}
}

// pressed reads {id, title, description?}; outer takes note of a wrong type.
func pressed(outer *scanner, m *wactorv1.Message, kind string, raw []byte) {
	if isAbsent(raw) {
		m.Type = typeUnsupported
		return
	}
	s := scanner{data: raw}
	choice := new(wactorv1.Choice)
	for in := s.object(kind); s.member(&in); {
		switch string(in.key) {
		case "id":
			choice.Id = s.textOrJSON("reply.id")
		case "title":
			choice.Title = s.text("reply.title")
		case "description":
			choice.Description = s.text("reply.description")
		default:
			s.skip()
		}
	}
	inherit(outer, &s)
	m.Type, m.Choice, m.Text = kind, choice, choice.Title
}

// flowReply reads the submission of a WhatsApp Flow: Text is the submitted JSON, Choice its name
// ("flow", "address_message") as Id and the line that the user sees ("Sent") as Title.
func flowReply(outer *scanner, m *wactorv1.Message, raw []byte) {
	if isAbsent(raw) {
		m.Type = typeUnsupported
		return
	}
	s := scanner{data: raw}
	choice := new(wactorv1.Choice)
	for in := s.object("nfm_reply"); s.member(&in); {
		switch string(in.key) {
		case "name":
			choice.Id = s.text("nfm_reply.name")
		case "body":
			choice.Title = s.text("nfm_reply.body")
		case "response_json":
			m.Text = s.textOrJSON("nfm_reply.response_json")
		default:
			s.skip()
		}
	}
	inherit(outer, &s)
	m.Type, m.Choice = typeFlowReply, choice
}

// templateButton reads the tap on a template's quick reply.
func templateButton(s *scanner, m *wactorv1.Message) {
	choice := new(wactorv1.Choice)
	for in := s.object("button"); s.member(&in); {
		switch string(in.key) {
		case "payload":
			choice.Id = s.textOrJSON("button.payload")
		case "text":
			choice.Title = s.text("button.text")
		default:
			s.skip()
		}
	}
	m.Choice, m.Text = choice, choice.Title
}

// reaction reads an emoji on a message; none (or an empty one) takes the reaction back.
func reaction(s *scanner, m *wactorv1.Message) {
	for in := s.object("reaction"); s.member(&in); {
		switch string(in.key) {
		case "message_id":
			m.ContextId = s.text("reaction.message_id")
		case "emoji":
			m.Text = s.text("reaction.emoji")
		default:
			s.skip()
		}
	}
}

// edit reads the new content of an earlier message: Text, Media, Location are those of the message
// as it is now.
func edit(s *scanner, m *wactorv1.Message) {
	original := ""
	for in := s.object("edit"); s.member(&in); {
		switch string(in.key) {
		case "original_message_id":
			original = s.text("edit.original_message_id")
		case "message":
			var now content
			for in := s.object("edit.message"); s.member(&in); {
				now.member(s, in.key)
			}
			// An edit of an edit would be fill calling itself for each level; no such thing exists.
			if now.kind != "edit" {
				if odd := now.fill(m); odd != "" && s.odd == "" {
					s.odd = odd
				}
			}
		default:
			s.skip()
		}
	}
	m.Type, m.ContextId = "edit", original
}

func isAbsent(raw []byte) bool { return len(raw) == 0 || string(raw) == "null" }

// inherit passes a note of a wrong type on to the scanner that the caller will ask.
func inherit(outer, inner *scanner) {
	if outer.odd == "" {
		outer.odd = inner.odd
	}
}
