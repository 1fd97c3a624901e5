package actors

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
)

// Encode writes a delivery for another node.
func (d *Delivery) Encode() *clusterv1.Delivery {
	out := &clusterv1.Delivery{Channel: d.Conversation.Channel, UserId: d.Conversation.User, Node: d.Node,
		Hops: uint32(d.hops)}
	switch q := d.question.(type) {
	case conversation.ResolveRequest:
		out.Content = &clusterv1.Delivery_Asked{Asked: &clusterv1.Asked{By: q.By, CreatedMs: q.CreatedMs}}
	case conversation.MergeOffer:
		out.Content = &clusterv1.Delivery_TakenOver{TakenOver: &clusterv1.TakenOver{
			From: q.From, User: q.User, Names: q.Names, Claims: q.Claims, Messages: q.Messages, ToldMs: q.ToldMs,
		}}
	case retryLetter:
		out.Content = &clusterv1.Delivery_Retry{Retry: &clusterv1.RetryLetter{Seq: q.seq, Text: q.text}}
	case skipLetter:
		out.Content = &clusterv1.Delivery_Skip{Skip: &clusterv1.SkipLetter{Seq: q.seq}}
	default:
		if s := d.Status; s != nil {
			out.Content = &clusterv1.Delivery_Status{Status: &clusterv1.Status{
				ReplyId: s.ReplyID, Status: s.Status, ProviderId: s.ProviderID, Code: int64(s.Code), AtMs: s.AtMs,
			}}
		} else {
			out.Content = &clusterv1.Delivery_Inbound{Inbound: &clusterv1.Inbound{Message: d.Message, User: d.User}}
		}
	}
	return out
}

// Decode reads a delivery of another node. finish is called exactly once with its outcome, on any
// goroutine, and must not block.
func Decode(in *clusterv1.Delivery, finish func(*clusterv1.Outcome)) (*Delivery, error) {
	d := &Delivery{
		Conversation: conversation.ID{Channel: in.GetChannel(), User: in.GetUserId()}, Node: in.GetNode(),
		hops: int(in.GetHops()),
		Done: func(verdict conversation.Verdict, err error) {
			finish(&clusterv1.Outcome{Id: in.GetId(), Verdict: int32(verdict), Refusal: refusalOf(err)})
		},
		answer: func(a conversation.ReplyPeer) {
			finish(&clusterv1.Outcome{Id: in.GetId(), Answered: true, Owner: a.Owner, Taken: a.Taken})
		},
	}
	if in.GetUserId() == "" {
		return nil, fmt.Errorf("actors: a delivery to nobody")
	}
	switch c := in.GetContent().(type) {
	case *clusterv1.Delivery_Inbound:
		d.Message, d.User = c.Inbound.GetMessage(), c.Inbound.GetUser()
		if d.Message.GetId() == "" {
			return nil, errors.New("actors: a delivered message has no id")
		}
	case *clusterv1.Delivery_Status:
		s := c.Status
		d.Status = &conversation.StatusArrived{
			ReplyID: s.GetReplyId(), Status: s.GetStatus(), ProviderID: s.GetProviderId(), Code: int(s.GetCode()),
			AtMs: s.GetAtMs(),
		}
	case *clusterv1.Delivery_Asked:
		d.question = conversation.ResolveRequest{By: c.Asked.GetBy(), CreatedMs: c.Asked.GetCreatedMs()}
	case *clusterv1.Delivery_TakenOver:
		t := c.TakenOver
		d.question = conversation.MergeOffer{
			From: t.GetFrom(), User: t.GetUser(), ToldMs: t.GetToldMs(), Names: t.GetNames(), Claims: t.GetClaims(),
			Messages: t.GetMessages(),
		}
	case *clusterv1.Delivery_Retry:
		d.question = retryLetter{seq: c.Retry.GetSeq(), text: c.Retry.GetText()}
	case *clusterv1.Delivery_Skip:
		d.question = skipLetter{seq: c.Skip.GetSeq()}
	default:
		return nil, errors.New("actors: a delivery of an unknown kind: its node runs a newer version")
	}
	return d, nil
}

// Finish ends a delivery with the outcome that another node found.
func (d *Delivery) Finish(o *clusterv1.Outcome) {
	if o.GetAnswered() && d.answer != nil {
		d.answer(conversation.ReplyPeer{Owner: o.GetOwner(), Taken: o.GetTaken()})
		return
	}
	d.Done(conversation.Verdict(o.GetVerdict()), errorOf(o.GetRefusal()))
}

// Refused is the error that an outcome tells; nil where it tells none.
func Refused(o *clusterv1.Outcome) error { return errorOf(o.GetRefusal()) }

// Again makes a delivery as it was before it was tried, with a message of its own: whoever had the
// former may not have let go of it.
func (d *Delivery) Again() {
	if d.Message != nil {
		d.Message = proto.CloneOf(d.Message)
		d.Message.Seq, d.Message.Late = 0, false
	}
}

// Repeatable reports whether a delivery may be tried again when nobody knows what became of it:
// messages are known by their ids, statuses and questions change nothing the second time. What an
// operator asks is not.
func (d *Delivery) Repeatable() bool {
	switch d.question.(type) {
	case retryLetter, skipLetter:
		return false
	}
	return true
}

// errRemote is the failure of another node, which has logged the reason.
var errRemote = errors.New("actors: it failed on the node that leads the conversation")

// refusals are the errors that nodes tell each other.
var refusals = map[clusterv1.Refusal]error{
	clusterv1.Refusal_REFUSAL_NOT_LEADER:      ErrNotLeader,
	clusterv1.Refusal_REFUSAL_OVERLOADED:      ErrOverloaded,
	clusterv1.Refusal_REFUSAL_STOPPING:        ErrStopping,
	clusterv1.Refusal_REFUSAL_UNKNOWN_FATE:    ErrUnknownFate,
	clusterv1.Refusal_REFUSAL_UNKNOWN_CHANNEL: ErrUnknownChannel,
	clusterv1.Refusal_REFUSAL_NO_DEAD_LETTER:  ErrNoDeadLetter,
	clusterv1.Refusal_REFUSAL_UNREADABLE:      ErrUnretryable,
	clusterv1.Refusal_REFUSAL_FAILED:          errRemote,
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
