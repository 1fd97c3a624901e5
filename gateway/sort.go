package gateway

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// webhook is one signed POST while it is sorted into deliveries.
type webhook struct {
	*Gateway
	*setup
	channel *Channel // that of the address
	header  provider.Header
	body    []byte
	nowMs   int64
	out     []delivery.Envelope
	accepts map[*Channel]bool // whether another channel accepts this signature
	unread  int
	test    bool
	// waiting counts the messages of each conversation, once there are many in the webhook.
	waiting map[conversation.ID]int
	excess  excess
}

// sort makes deliveries of a signed body. Each change goes to the channel of its phone number,
// since a provider app has one callback for all its numbers; but only where that channel accepts
// the secret that the POST was signed with.
func (g *Gateway) sort(s *setup, channel *Channel, header provider.Header, body []byte,
	now time.Time) []delivery.Envelope {
	w := &webhook{Gateway: g, setup: s, channel: channel, header: header, body: body, nowMs: now.UnixMilli()}
	decoded, err := channel.Codec.Decode(body)
	if err != nil {
		w.keep(channel, err.Error(), append([]byte(nil), body...))
		return w.out
	}
	w.test = decoded.Test
	all := len(decoded.Messages) + len(decoded.Identities) + len(decoded.Statuses)
	w.out = make([]delivery.Envelope, 0, min(all, s.MaxMessages))
	for _, in := range decoded.Messages {
		if in.Odd != "" {
			g.metrics.odd.Inc()
			g.notices.odd(channel, in.Odd)
		}
		if to, ok := w.takes(in.Number, in.User.Id, in.Message); ok {
			w.deliver(to, delivery.Inbound{Message: in.Message, User: in.User})
		}
	}
	for _, in := range decoded.Identities {
		if to, ok := w.takes(in.Number, in.User.Id, in.Message); ok {
			w.deliver(to, delivery.Identity{Message: in.Message, User: in.User})
		}
	}
	for i := range decoded.Statuses {
		w.status(&decoded.Statuses[i])
	}
	for _, unread := range decoded.Unread {
		if owner := w.owner(unread.Number); owner != nil || w.known(unread.Number) {
			w.keep(cmp.Or(owner, channel), unread.Reason, unread.Raw)
		}
	}
	for i := range decoded.Changes {
		w.change(&decoded.Changes[i])
	}
	w.keepExcess()
	if w.test {
		g.notices.tested(channel)
	}
	return w.out
}

// takes returns the conversation of a user that a message is delivered to; false where it is kept
// in another way, or not at all.
func (w *webhook) takes(number, user string, message *wactorv1.Message) (to conversation.ID, ok bool) {
	owner := w.owner(number)
	switch {
	case owner == nil && w.known(number):
		w.keep(w.channel, "the business number is of a channel that does not accept this signature", message.Raw)
		return to, false
	case owner == nil:
		return to, false
	}
	to = conversation.ID{Channel: owner.Name, User: user}
	if !w.fits(to) {
		w.excess.add(message.Raw)
		return to, false
	}
	message.ReceivedMs = w.nowMs
	return to, true
}

func (w *webhook) deliver(to conversation.ID, body delivery.Body) {
	w.out = append(w.out, delivery.Envelope{To: to, Origin: w.options.Node, Body: body})
}

// known reports whether a business number is of a channel, and takes note of one that is not. That
// one's messages are not kept: their users wrote to another program.
func (w *webhook) known(id string) bool {
	if id == "" || w.byNumber[number{w.channel.Provider, id}] != nil {
		return true
	}
	if w.test || slices.Contains(w.channel.IgnoreNumbers, id) {
		return false
	}
	w.metrics.strangers.Inc()
	w.notices.strange(w.channel, id)
	return false
}

func (w *webhook) status(s *provider.Status) {
	w.metrics.statuses.WithLabelValues(statusLabel(s.Status)).Inc()
	owner := w.owner(s.Number)
	if owner == nil {
		w.known(s.Number)
		return
	}
	if w.options.StatusCame != nil {
		w.options.StatusCame(owner.Name)
	}
	user, ours := conversation.ReplyUser(s.ReplyID)
	if !ours {
		return // of a message that another program sent
	}
	w.out = append(w.out, delivery.Envelope{
		To: conversation.ID{Channel: owner.Name, User: user}, Origin: w.options.Node,
		Body: delivery.Status{
			ReplyID: s.ReplyID, Status: s.Status, ProviderID: s.MessageID, Code: s.ErrorCode,
			Reason: s.ErrorText, AtMs: s.AtMs, WindowClosed: s.WindowClosed,
		},
	})
}

func (w *webhook) change(c *provider.Change) {
	w.metrics.others.WithLabelValues(c.Field).Inc()
	if !w.test && (c.Number == "" || w.known(c.Number)) {
		w.notices.changed(cmp.Or(w.owner(c.Number), w.channel), c)
	}
}

// keep makes a dead letter of a piece that can't be understood. Its id is its hash, so that the
// provider's next try with the same bytes is a duplicate.
func (w *webhook) keep(channel *Channel, reason string, raw []byte) {
	w.metrics.unread.Inc()
	w.notices.unread(channel, reason)
	if w.unread++; w.unread > maxUnread {
		w.excess.add(raw)
		return
	}
	w.letter(channel, reason, raw)
}

func (w *webhook) letter(channel *Channel, reason string, raw []byte) {
	sum := sha256.Sum256(raw)
	w.out = append(w.out, delivery.Envelope{
		To: conversation.ID{Channel: channel.Name, User: provider.UnreadUser}, Origin: w.options.Node,
		Body: delivery.Inbound{Message: &wactorv1.Message{
			Id: "unread." + hex.EncodeToString(sum[:]), Type: conversation.TypeUnreadable, Text: reason,
			ReceivedMs: w.nowMs, Raw: raw,
		}},
	})
}

// owner returns the channel of a business number; nil where there is none that accepts the
// signature.
func (w *webhook) owner(id string) *Channel {
	if id == "" {
		return w.channel
	}
	owner := w.byNumber[number{w.channel.Provider, id}]
	if owner == nil || owner == w.channel {
		return owner
	}
	accepts, checked := w.accepts[owner]
	if !checked {
		accepts = provider.Authentic(owner.Codec, w.header, w.body)
		if w.accepts == nil {
			w.accepts = map[*Channel]bool{}
		}
		w.accepts[owner] = accepts
	}
	if !accepts {
		return nil
	}
	return owner
}
