package admin

import (
	"context"
	"fmt"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// An operation is one entry of the registry (operations.go): what the API serves under the name of
// a method. Its description, the role that it needs among it, stands beside the method in
// admin.proto.
type operation struct {
	method protoreflect.MethodDescriptor
	rule   *wactorv1.Operation
	write  bool
	// serve answers at the node that is called.
	serve func(s *Service, ctx context.Context, request proto.Message) (proto.Message, error)
	// handler serves the method over HTTP.
	handler func(s *Service, options ...connect.HandlerOption) http.Handler
	// answer answers at the node that leads a shard, for a node that is called; nil where an
	// operation needs no such answer. It gets its request as bytes, as another node sends it.
	answer func(s *Service, request []byte) (proto.Message, error)
}

// message is a generated message, by its pointer.
type message[T any] interface {
	*T
	proto.Message
}

// adminService is where the methods and their options are described.
var adminService = wactorv1.File_wactor_v1_admin_proto.Services().ByName("AdminService")

// serve makes the entry of an operation that the node which is called answers by itself.
func serve[Q, R any, PQ message[Q], PR message[R]](name protoreflect.Name,
	do func(s *Service, ctx context.Context, request PQ) (PR, error)) *operation {
	method := adminService.Methods().ByName(name)
	if method == nil {
		panic(fmt.Sprintf("admin: admin.proto has no method %s", name))
	}
	options, _ := method.Options().(*descriptorpb.MethodOptions)
	rule, _ := proto.GetExtension(options, wactorv1.E_Operation).(*wactorv1.Operation)
	o := &operation{
		method: method, rule: rule,
		write: options.GetIdempotencyLevel() != descriptorpb.MethodOptions_NO_SIDE_EFFECTS,
		serve: func(s *Service, ctx context.Context, request proto.Message) (proto.Message, error) {
			return do(s, ctx, request.(PQ))
		},
	}
	o.handler = func(s *Service, options ...connect.HandlerOption) http.Handler {
		return connect.NewUnaryHandler(o.procedure(), func(ctx context.Context,
			request *connect.Request[Q]) (*connect.Response[R], error) {
			response, err := s.run(ctx, o, PQ(request.Msg))
			if err != nil {
				return nil, err
			}
			return connect.NewResponse((*R)(response.(PR))), nil
		}, options...)
	}
	return o
}

// led makes the entry of a read that the leaders of shards answer; do asks them by Service.ask.
func led[Q, R any, PQ message[Q], PR message[R]](name protoreflect.Name,
	do func(s *Service, ctx context.Context, o *operation, request PQ) (PR, error),
	answer func(s *Service, request PQ) (PR, error)) *operation {
	var o *operation
	o = serve[Q, R, PQ, PR](name, func(s *Service, ctx context.Context, request PQ) (PR, error) {
		return do(s, ctx, o, request)
	})
	o.answer = func(s *Service, data []byte) (proto.Message, error) {
		request := PQ(new(Q))
		if err := proto.Unmarshal(data, request); err != nil {
			return nil, err
		}
		return answer(s, request)
	}
	return o
}

// conversationRequest is a request of scope conversation.
type conversationRequest interface {
	proto.Message
	GetUser() string
	GetChannel() string
}

// change makes the entry of a write to one conversation: check looks at the request first, and the
// conversation applies it.
func change[Q, R any, PQ interface {
	message[Q]
	conversationRequest
}, PR message[R]](name protoreflect.Name,
	check func(s *Service, ctx context.Context, id conversation.ID, request PQ) error) *operation {
	return serve[Q, R, PQ, PR](name, func(s *Service, ctx context.Context, request PQ) (PR, error) {
		id, err := s.one(ctx, request.GetUser(), request.GetChannel())
		if err != nil {
			return nil, err
		}
		if check != nil {
			if err := check(s, ctx, id, request); err != nil {
				return nil, err
			}
		}
		if err := s.options.Operator.Operate(ctx, id, principalOf(ctx).Name, request); err != nil {
			return nil, s.operatorError(ctx, id, err)
		}
		return PR(new(R)), nil
	})
}

func (o *operation) name() string { return string(o.method.Name()) }

func (o *operation) procedure() string {
	return "/" + string(o.method.Parent().FullName()) + "/" + o.name()
}

// run serves an operation for the principal of a call, and writes down who changes what.
func (s *Service) run(ctx context.Context, o *operation, request proto.Message) (proto.Message, error) {
	who := principalOf(ctx)
	if !who.May(o.rule.GetRole()) {
		return nil, connect.NewError(connect.CodePermissionDenied, fmt.Errorf("%s",
			denied(who, o.name(), o.rule.GetRole())))
	}
	response, err := o.serve(s, ctx, request)
	if o.write && (err != nil || o.rule.GetRole() != wactorv1.Role_ROLE_SENDER) { // programs post all day
		s.logChange(ctx, who, o, request, err)
	}
	return response, err
}

func denied(who Principal, what string, needed wactorv1.Role) string {
	return fmt.Sprintf("%s needs the role %s, and %s has the role %s", what, RoleName(needed), who.Name,
		RoleName(who.Role))
}

// logChange writes down who changed what: of a conversation its name for logs, never the user.
func (s *Service) logChange(ctx context.Context, who Principal, o *operation, request proto.Message, err error) {
	attributes := []any{"operation", o.name(), "principal", who.Name}
	fields := request.ProtoReflect()
	if r, ok := request.(conversationRequest); ok {
		if id, failed := s.one(ctx, r.GetUser(), r.GetChannel()); failed == nil {
			attributes = append(attributes, "channel", id.Channel, "conversation", s.options.LogName(id))
		}
	}
	for _, name := range []protoreflect.Name{"seq", "node", "change"} {
		if field := fields.Descriptor().Fields().ByName(name); field != nil && fields.Has(field) {
			attributes = append(attributes, string(name), fields.Get(field).Interface())
		}
	}
	if err != nil {
		s.options.Logger.Warn("an operator's change failed", append(attributes, "error", err)...)
		return
	}
	s.options.Logger.Info("an operator changed something", attributes...)
}
