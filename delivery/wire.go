package delivery

import (
	"errors"
	"fmt"

	"github.com/wactor/wactor/conversation"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// codec is one kind of body between nodes. Each direction reports false for a body of another kind.
type codec struct {
	encode func(Body, *clusterv1.Delivery) bool
	decode func(*clusterv1.Delivery) (Body, bool)
}

// row makes a codec for a body B whose content between nodes is a C.
func row[B Body, C any](encode func(B, *clusterv1.Delivery), decode func(C) B) codec {
	return codec{
		encode: func(body Body, out *clusterv1.Delivery) bool {
			b, ok := body.(B)
			if ok {
				encode(b, out)
			}
			return ok
		},
		decode: func(in *clusterv1.Delivery) (Body, bool) {
			c, ok := any(in.GetContent()).(C)
			if !ok {
				return nil, false
			}
			return decode(c), true
		},
	}
}

// typeSystem is the type of an Identity's message. Nodes of an earlier version know no Identity and
// send such a message as an Inbound, so both have that form between nodes.
const typeSystem = "system"

// codecs are all kinds of bodies, the most frequent first. The proto messages of
// ResolveRequest and MergeOffer keep the names of an earlier version.
var codecs = []codec{
	{encodeInbound, decodeInbound},
	row(func(b Status, out *clusterv1.Delivery) {
		out.Content = &clusterv1.Delivery_Status{Status: &clusterv1.Status{
			ReplyId: b.ReplyID, Status: b.Status, ProviderId: b.ProviderID, Code: int64(b.Code), AtMs: b.AtMs,
			Reason: b.Reason, WindowClosed: b.WindowClosed,
		}}
	}, func(c *clusterv1.Delivery_Status) Status {
		s := c.Status
		return Status{
			ReplyID: s.GetReplyId(), Status: s.GetStatus(), ProviderID: s.GetProviderId(), Code: int(s.GetCode()),
			AtMs: s.GetAtMs(), Reason: s.GetReason(), WindowClosed: s.GetWindowClosed(),
		}
	}),
	row(func(b ResolveRequest, out *clusterv1.Delivery) {
		out.Content = &clusterv1.Delivery_Asked{Asked: &clusterv1.Asked{By: b.By, CreatedMs: b.CreatedMs}}
	}, func(c *clusterv1.Delivery_Asked) ResolveRequest {
		return ResolveRequest{By: c.Asked.GetBy(), CreatedMs: c.Asked.GetCreatedMs()}
	}),
	row(func(b MergeOffer, out *clusterv1.Delivery) {
		out.Content = &clusterv1.Delivery_TakenOver{TakenOver: &clusterv1.TakenOver{
			From: b.From, User: b.User, Names: b.Names, Claims: b.Claims, Messages: b.Messages, ToldMs: b.AtMs,
			Ownership: b.Ownership,
		}}
	}, func(c *clusterv1.Delivery_TakenOver) MergeOffer {
		t := c.TakenOver
		return MergeOffer{
			From: t.GetFrom(), User: t.GetUser(), AtMs: t.GetToldMs(), Names: t.GetNames(), Claims: t.GetClaims(),
			Messages: t.GetMessages(), Ownership: t.GetOwnership(),
		}
	}),
	{encodeOperation, decodeOperation},
}

func encodeInbound(body Body, out *clusterv1.Delivery) bool {
	in := &clusterv1.Inbound{}
	switch b := body.(type) {
	case Inbound:
		in.Message, in.User = b.Message, b.User
	case Identity:
		in.Message, in.User = b.Message, b.User
	default:
		return false
	}
	out.Content = &clusterv1.Delivery_Inbound{Inbound: in}
	return true
}

func decodeInbound(from *clusterv1.Delivery) (Body, bool) {
	in := from.GetInbound()
	switch {
	case in == nil:
		return nil, false
	case in.GetMessage().GetType() == typeSystem:
		return Identity{Message: in.Message, User: in.User}, true
	}
	return Inbound{Message: in.GetMessage(), User: in.GetUser()}, true
}

// Encode writes an envelope for another node. The two share the body's messages.
func (e Envelope) Encode() *clusterv1.Delivery {
	out := &clusterv1.Delivery{
		Channel: e.To.Channel, UserId: e.To.User, Node: e.Origin, Hops: uint32(e.Hops),
		Router: e.Place.Router, Number: e.Place.Number, After: e.Place.After,
	}
	for _, c := range codecs {
		if c.encode(e.Body, out) {
			return out
		}
	}
	panic(fmt.Sprintf("delivery: a body of type %T has no codec", e.Body))
}

// Decode reads an envelope of another node.
func Decode(in *clusterv1.Delivery) (Envelope, error) {
	e := Envelope{
		To: conversation.ID{Channel: in.GetChannel(), User: in.GetUserId()}, Origin: in.GetNode(),
		Hops: int(in.GetHops()), Place: Place{in.GetRouter(), in.GetNumber(), in.GetAfter()},
	}
	if e.To.User == "" {
		return Envelope{}, errors.New("delivery: an envelope without a user")
	}
	for _, c := range codecs {
		body, ok := c.decode(in)
		if !ok {
			continue
		}
		e.Body = body
		if e.Ordered() && e.Message().GetId() == "" {
			return Envelope{}, errors.New("delivery: a message without an id")
		}
		return e, nil
	}
	return Envelope{}, errors.New("delivery: a body of an unknown kind: its node runs a newer version")
}

// refusals are the errors that nodes report to each other.
var refusals = map[clusterv1.Refusal]error{
	clusterv1.Refusal_REFUSAL_NOT_LEADER:      ErrNotLeader,
	clusterv1.Refusal_REFUSAL_OVERLOADED:      ErrOverloaded,
	clusterv1.Refusal_REFUSAL_STOPPING:        ErrStopping,
	clusterv1.Refusal_REFUSAL_UNKNOWN_FATE:    ErrUnknownFate,
	clusterv1.Refusal_REFUSAL_UNKNOWN_CHANNEL: ErrUnknownChannel,
	clusterv1.Refusal_REFUSAL_NO_DEAD_LETTER:  ErrNoDeadLetter,
	clusterv1.Refusal_REFUSAL_UNREADABLE:      ErrUnretryable,
	clusterv1.Refusal_REFUSAL_FAILED:          errRemote,
	clusterv1.Refusal_REFUSAL_OUT_OF_TURN:     ErrOutOfTurn,
}

// Encode writes an outcome for the node that sent the envelope, which knows it by its number.
func (o Outcome) Encode(id uint64) *clusterv1.Outcome {
	out := &clusterv1.Outcome{Id: id, Verdict: int32(o.Verdict), Refusal: refusalOf(o.Err), Leader: o.Leader}
	if o.Answer != nil {
		out.Answered, out.Owner, out.Taken = true, o.Answer.Owner, o.Answer.Taken
	}
	return out
}

// DecodeOutcome reads an outcome of another node.
func DecodeOutcome(in *clusterv1.Outcome) Outcome {
	o := Outcome{Verdict: conversation.Verdict(in.GetVerdict()), Err: errorOf(in.GetRefusal()), Leader: in.GetLeader()}
	if in.GetAnswered() {
		o.Answer = &Answer{Owner: in.GetOwner(), Taken: in.GetTaken()}
	}
	return o
}

func refusalOf(err error) clusterv1.Refusal {
	if err == nil {
		return clusterv1.Refusal_REFUSAL_UNSPECIFIED
	}
	for refusal, known := range refusals {
		if errors.Is(err, known) {
			return refusal
		}
	}
	return clusterv1.Refusal_REFUSAL_FAILED
}

func errorOf(refusal clusterv1.Refusal) error {
	if refusal == clusterv1.Refusal_REFUSAL_UNSPECIFIED {
		return nil
	}
	if err := refusals[refusal]; err != nil {
		return err
	}
	return errRemote // of a newer version
}
