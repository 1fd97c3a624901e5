package cloudapi

import "github.com/wactor/wactor/provider"

// typePayment is the type of a status of a payment.
const typePayment = "payment"

func (d *decoder) statuses(c *change) {
	if isEmpty(c.statuses) {
		return
	}
	s := scanner{data: asList(c.statuses)}
	for list := s.array("statuses"); s.element(&list); {
		if d.count(&d.updates); d.scan.err != nil {
			return
		}
		s.peek()
		start := s.pos
		status, kind, flaw := readStatus(&s)
		if kind == typePayment { // of a payment, not of a message
			d.webhook.Changes = append(d.webhook.Changes, provider.Change{Number: c.phoneNumberID, Field: typePayment})
			continue
		}
		if flaw != "" {
			d.unread(c.phoneNumberID, flaw, s.data[start:s.pos])
			continue
		}
		status.Number = c.phoneNumberID
		d.webhook.Statuses = append(d.webhook.Statuses, status)
	}
	if s.odd != "" {
		d.unread(c.phoneNumberID, s.odd+wrongType, c.statuses)
	}
}

// codeWindowClosed is that of a message that only a template could have been: Meta, "Error codes".
const codeWindowClosed = 131047

// readStatus reads one element of value.statuses. Conversation and pricing are passed over; so are
// errors of a strange form, since the status itself decides the fate of a reply in doubt.
func readStatus(s *scanner) (status provider.Status, kind, flaw string) {
	var participant, participantUser string
	for in := s.object("status"); s.member(&in); {
		switch string(in.key) {
		case "id":
			status.MessageID = s.text("status.id")
		case "status":
			status.Status = s.word("status.status", knownWords)
		case "type":
			kind = s.word("status.type", knownWords)
		case "timestamp":
			status.AtMs = milliseconds(s.whole())
		case "recipient_id":
			status.RecipientWaID = s.text("status.recipient_id")
		case "recipient_user_id":
			status.RecipientUserID = s.text("status.recipient_user_id")
		case "recipient_participant_id", "participant_recipient_id": // Meta's pages spell it both ways
			participant = s.text("status.recipient_participant_id")
		case "recipient_participant_user_id":
			participantUser = s.text("status.recipient_participant_user_id")
		case "biz_opaque_callback_data":
			status.ReplyID = s.text("status.biz_opaque_callback_data")
		case "errors":
			status.ErrorCode, status.ErrorText = firstError(s.skip())
			status.WindowClosed = status.ErrorCode == codeWindowClosed
		default:
			s.skip()
		}
	}
	if participant != "" || participantUser != "" { // in a group, recipient_id is the group
		status.RecipientWaID, status.RecipientUserID = participant, participantUser
	}
	status.RecipientWaID, status.RecipientUserID = sortIDs(status.RecipientWaID, status.RecipientUserID)
	return status, kind, flawOfStatus(s, &status)
}

// flawOfStatus says why a status means nothing; a part of the wrong type that is not needed is left
// out.
func flawOfStatus(s *scanner, status *provider.Status) (flaw string) {
	odd := s.odd
	s.odd = ""
	switch {
	case status.MessageID != "" && status.Status != "":
	case odd != "":
		flaw = odd + wrongType
	case status.MessageID == "":
		flaw = "status.id is missing"
	default:
		flaw = "status.status is missing"
	}
	return flaw
}

// firstError reads the code and the words of the first of a list of errors.
func firstError(list []byte) (code int, text string) {
	s := scanner{data: list}
	var first graphError
	n := 0
	for each := s.array("errors"); s.element(&each); n++ {
		if n > 0 {
			s.skip()
			continue
		}
		first.read(&s)
	}
	return first.code, first.words()
}
