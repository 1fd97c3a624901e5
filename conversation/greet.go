package conversation

import (
	"google.golang.org/protobuf/proto"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// greet updates what is known of the user by a webhook of a time. The user is replaced, never
// changed: a turn and a send under way read the old one.
func (c *Conversation) greet(user *wactorv1.User, toldMs int64) {
	known := c.head.User
	if known == nil {
		c.head.CreatedMs = c.nowMs
	}
	now := filled(known, user)
	if toldMs/1000 >= c.head.ToldMs/1000 { // the provider knows whole seconds: within one the later arrival counts
		now = learned(known, user)
		c.head.ToldMs = max(toldMs, c.head.ToldMs)
	}
	now.Id = c.id.User
	if !proto.Equal(known, now) {
		c.head.User = now
	}
}

// learned is what is known after a webhook. What it leaves out was not unlearned: WhatsApp
// withholds phones and tells them again. But a BSUID changes with the phone number, so with a new
// one the phone is another, too, and the old may be a stranger's.
func learned(known, told *wactorv1.User) *wactorv1.User {
	now := &wactorv1.User{WaId: told.GetWaId(), UserId: told.GetUserId(), Name: told.GetName()}
	renamed := known.GetUserId() != "" && now.UserId != "" && now.UserId != known.GetUserId()
	if now.WaId == "" && !renamed {
		now.WaId = known.GetWaId()
	}
	if now.UserId == "" {
		now.UserId = known.GetUserId()
	}
	if now.Name == "" {
		now.Name = known.GetName()
	}
	return now
}

// filled is what is known after a webhook that is older than what is known already: it may be from
// before a change of the number, so it only fills what was never known, and a phone only beside the
// same BSUID.
func filled(known, told *wactorv1.User) *wactorv1.User {
	now := &wactorv1.User{WaId: known.GetWaId(), UserId: known.GetUserId(), Name: known.GetName()}
	if now.UserId == "" {
		now.UserId = told.GetUserId()
	}
	if now.WaId == "" && now.UserId == told.GetUserId() {
		now.WaId = told.GetWaId()
	}
	if now.Name == "" {
		now.Name = told.GetName()
	}
	return now
}
