package conversation

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"

	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// ID names a conversation: one user on one channel. Its text form is "<channel>/<user>".
type ID struct {
	// Channel is the channel's name in the configuration; it holds no slash.
	Channel string
	// User is the user's identity as the provider's webhook gave it: phone digits or a BSUID.
	User string
}

// ErrIdentity reports a text that names no conversation.
var ErrIdentity = errors.New("conversation: identity is not <channel>/<user>")

func (id ID) String() string { return id.Channel + "/" + id.User }

// ParseID is the inverse of ID.String. The user may hold slashes, the channel may not.
func ParseID(text string) (ID, error) {
	channel, user, found := strings.Cut(text, "/")
	if !found || channel == "" || user == "" {
		return ID{}, ErrIdentity
	}
	return ID{Channel: channel, User: user}, nil
}

// crockford is the alphabet of ULIDs.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// turnID names a turn by what it reads: conversation, version, timer and messages. Every attempt of
// it, on any node and after any crash, has the same id, and a turn over other messages has another.
// A random id would need a commit before the first attempt to be the same on the second.
func turnID(id ID, createdMs int64, version uint64, timer *wactorv1.Timer, seqs ...uint64) string {
	hash := sha256.New()
	hash.Write([]byte(id.String()))
	var number [8]byte
	for _, n := range append([]uint64{0, uint64(createdMs), version}, seqs...) {
		binary.BigEndian.PutUint64(number[:], n)
		hash.Write(number[:])
	}
	if timer != nil {
		hash.Write(record.Due(timer.DueMs, timer.Name))
	}
	return crockford.EncodeToString(hash.Sum(nil)[:16])
}

const replyPrefix = "w1."

// replyID names a reply so that a status that carries it finds the conversation from any node: the
// recipient that a status names is no help, since the provider rewrites some numbers and withholds
// others.
func replyID(createdMs int64, seq uint64, user string) string {
	return replyPrefix + strconv.FormatInt(createdMs, 36) + "." + strconv.FormatUint(seq, 36) + "." + user
}

// ReplyUser returns the user whose conversation made the reply of this id; false where the id is
// not one of Wactor's.
func ReplyUser(id string) (user string, ok bool) {
	_, _, user, ok = parseReplyID(id)
	return user, ok
}

func parseReplyID(id string) (createdMs int64, seq uint64, user string, ok bool) {
	rest, found := strings.CutPrefix(id, replyPrefix)
	created, rest, found1 := strings.Cut(rest, ".")
	number, user, found2 := strings.Cut(rest, ".")
	if !found || !found1 || !found2 || user == "" {
		return 0, 0, "", false
	}
	createdMs, err1 := strconv.ParseInt(created, 36, 64)
	seq, err2 := strconv.ParseUint(number, 36, 64)
	if err1 != nil || err2 != nil || replyID(createdMs, seq, user) != id {
		return 0, 0, "", false // numbers may be written in several ways: an id is compared whole
	}
	return createdMs, seq, user, true
}
