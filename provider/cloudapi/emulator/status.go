package emulator

import (
	"strconv"
	"time"

	"github.com/wactor/wactor/provider/cloudapi"
)

// Status is what became of a message of the business.
type Status struct {
	// ID is the provider's id of the message, ReplyID its biz_opaque_callback_data.
	ID, ReplyID string
	// User is the recipient's phone, UserID the BSUID; one of them may be empty.
	User, UserID string
	// Status is sent, delivered, read or failed.
	Status string
	// AtMs is its time in Unix milliseconds.
	AtMs int64
	// Code is the error's code where it failed.
	Code int
}

// Status returns the status of a message that the Graph took, such as sent, delivered or read.
func (t Taken) Status(word string, at time.Time) Status {
	status := Status{ID: t.ID, ReplyID: t.ReplyID, Status: word, AtMs: at.UnixMilli()}
	if cloudapi.IsBSUID(t.To) {
		status.UserID = t.To
	} else {
		status.User = t.To
	}
	return status
}

func appendStatus(out []byte, s *Status) []byte {
	out = append(out, `{"id":`...)
	out = appendString(out, s.ID)
	out = appendMember(out, "status", s.Status)
	out = append(out, `,"timestamp":"`...)
	out = append(strconv.AppendInt(out, s.AtMs/1000, 10), '"')
	out = appendMember(out, "recipient_id", s.User)
	out = appendMember(out, "recipient_user_id", s.UserID)
	out = appendMember(out, "biz_opaque_callback_data", s.ReplyID)
	if s.Code != 0 {
		out = append(out, `,"errors":[{"code":`...)
		out = append(strconv.AppendInt(out, int64(s.Code), 10), '}', ']')
	}
	return append(out, '}')
}
