package simulate

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// Names says under which identities a user writes.
type Names string

const (
	// NamesBoth is a phone and a BSUID with every message, as WhatsApp sends them.
	NamesBoth Names = "both"
	// NamesMixed is both with the first two messages, and then both, the phone alone or the BSUID
	// alone, in turn.
	NamesMixed Names = "mixed"
	// NamesHidden is the BSUID alone: users whose phone WhatsApp withholds.
	NamesHidden Names = "hidden"
	// NamesChanging is both, and half-way the user gets another number and another BSUID, which is
	// reported in one of the ways of WhatsApp. The bot must not count the message that reports
	// it.
	NamesChanging Names = "changing"
)

// AllNames are all of them.
var AllNames = []Names{NamesBoth, NamesMixed, NamesHidden, NamesChanging}

// What a new number and a new BSUID begin with, so that a reply to them finds its user.
const (
	bsuid     = "DE.1"
	newPhone  = "99"
	newUserID = "DE.2"
)

// changesAt is the message before which a user's number changes.
func (l *Load) changesAt() int { return max(2, l.Messages/2) }

// identity is under which phone and BSUID a message is written; one may be empty.
func (r *record) identity(m ref) (phone, userID string) {
	number := strconv.FormatInt(r.options.FirstUser+int64(m.user), 10)
	phone, userID = number, bsuid+number
	switch {
	case r.options.Names == NamesHidden:
		return "", userID
	case r.options.Names == NamesChanging && m.k >= r.options.changesAt():
		return newPhone + number, newUserID + number
	case r.options.Names == NamesMixed && m.k >= 2 && m.k%3 == 0:
		return phone, ""
	case r.options.Names == NamesMixed && m.k >= 2 && m.k%3 == 1:
		return "", userID
	}
	return phone, userID
}

// userOf finds a user by what a bot may write to: the phone, or the BSUID, old or new.
func (r *record) userOf(to string) (int, bool) {
	for _, prefix := range []string{"", bsuid, newUserID, newPhone} { // a first number may begin as new ones do
		digits, found := strings.CutPrefix(to, prefix)
		if !found {
			continue
		}
		number, err := strconv.ParseInt(digits, 10, 64)
		if number -= r.options.FirstUser; err == nil && number >= 0 && number < int64(len(r.users)) {
			return int(number), true
		}
	}
	return 0, false
}

// change tells the bot that a user's number changed, where the message is the first under the new
// one. It is answered before that message is posted.
func (d *driver) change(ctx context.Context, p *prepared) {
	o := d.record.options
	for _, m := range p.messages {
		if o.Names != NamesChanging || m.k != o.changesAt() || p.tap > 1 {
			continue
		}
		for _, body := range d.record.changes(d.poster.number, m.user, time.Now().UnixMilli()) {
			if _, err := d.poster.post(ctx, d.poster.sign(body)); err != nil {
				d.cancel(err)
			}
		}
	}
}

// changes are the webhooks that tell of a user's change, in one of the ways in which WhatsApp does;
// users have them in turn.
func (r *record) changes(number emulator.Number, user int, nowMs int64) [][]byte {
	digits := strconv.FormatInt(r.options.FirstUser+int64(user), 10)
	moved := func(suffix string, to emulator.Moved) []byte {
		return number.Messages(emulator.Message{
			ID: r.name + suffix + digits, User: digits, UserID: bsuid + digits, SentMs: nowMs, Moved: &to,
		})
	}
	both := moved("moved.", emulator.Moved{User: newPhone + digits, UserID: newUserID + digits})
	idAlone := moved("renamed.", emulator.Moved{UserID: newUserID + digits})
	update := number.Renamed("", bsuid+digits, newUserID+digits, nowMs)
	return [][][]byte{{both}, {idAlone}, {update}, {update, both}, {both, update, idAlone}}[user%5]
}
