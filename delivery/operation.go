package delivery

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	clusterv1 "github.com/wactor/wactor/proto/wactor/cluster/v1"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// encodeOperation writes an operation, in the form that older nodes read where there is one.
func encodeOperation(body Body, out *clusterv1.Delivery) bool {
	b, ok := body.(Operation)
	if !ok {
		return false
	}
	switch r := b.Request.(type) {
	case *wactorv1.RetryRequest:
		out.Content = &clusterv1.Delivery_Retry{Retry: &clusterv1.RetryLetter{Seq: r.Seq, Text: r.Text, By: b.By}}
	case *wactorv1.SkipRequest:
		out.Content = &clusterv1.Delivery_Skip{Skip: &clusterv1.SkipLetter{Seq: r.Seq, By: b.By}}
	default:
		request, _ := proto.Marshal(b.Request) // it came over the network itself: it can be written again
		out.Content = &clusterv1.Delivery_Operation{Operation: &clusterv1.Operation{
			By: b.By, Name: string(b.Request.ProtoReflect().Descriptor().FullName()), Request: request,
		}}
	}
	return true
}

// decodeOperation reads an operation; false also where this version does not know its request.
func decodeOperation(in *clusterv1.Delivery) (Body, bool) {
	switch c := in.GetContent().(type) {
	case *clusterv1.Delivery_Retry:
		return Operation{By: c.Retry.GetBy(), Request: &wactorv1.RetryRequest{Seq: c.Retry.GetSeq(),
			Text: c.Retry.GetText()}}, true
	case *clusterv1.Delivery_Skip:
		return Operation{By: c.Skip.GetBy(), Request: &wactorv1.SkipRequest{Seq: c.Skip.GetSeq()}}, true
	case *clusterv1.Delivery_Operation:
		kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(c.Operation.GetName()))
		if err != nil {
			return nil, false
		}
		request := kind.New().Interface()
		switch request.(type) {
		case *wactorv1.RetryRequest, *wactorv1.SkipRequest:
			return nil, false // they have contents of their own
		}
		return Operation{By: c.Operation.GetBy(), Request: request},
			proto.Unmarshal(c.Operation.GetRequest(), request) == nil
	}
	return nil, false
}
