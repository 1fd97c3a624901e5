// Package admin answers operators: the Connect service of proto/wactor/v1/admin.proto, served on
// listen.admin as gRPC, Connect and plain JSON.
//
// Read operations.go first: the registry of what can be asked. Each method's option in admin.proto
// says which role it needs and which node answers; operation.go turns both into handlers, gate.go
// and principal.go find out who calls.
package admin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Store reads what was committed. Its methods may take disk accesses.
type Store interface {
	// Load reads head, state, inbox, outbox and timers of a conversation, and returns its revision;
	// 0 where it does not exist.
	Load(shard uint32, conversation string, each func(kind wactorv1.RecordKind, suffix,
		value []byte) error) (revision uint64, err error)
	// Scan reads the records of one kind of a conversation, in the order of their suffixes.
	Scan(shard uint32, conversation string, kind wactorv1.RecordKind, each func(suffix, value []byte) error) error
	// ScanFrom does so from a suffix on, until each returns an error.
	ScanFrom(shard uint32, conversation string, kind wactorv1.RecordKind, from []byte, each func(suffix,
		value []byte) error) error
	// Seen reports whether a conversation has accepted a message id in a generation.
	Seen(shard uint32, conversation string, generation uint32, message string) (bool, error)
	// SeenValue returns what is remembered of an id that was accepted in a generation; empty where
	// nothing is.
	SeenValue(shard uint32, conversation string, generation uint32, id string) ([]byte, error)
	// Paused names the conversations of a shard that the bot does not own, behind a name, in their
	// order, each with its stored Ownership.
	Paused(shard uint32, behind string, each func(conversation string, ownership []byte) error) error
	// Conversations names those of a shard behind a name, in their order, and tells whether each
	// has dead letters.
	Conversations(shard uint32, behind string, each func(conversation string, deadLetters bool) error) error
}

// Node tells how this node is.
type Node interface {
	// ShardsLed is the number of shards that this node leads.
	ShardsLed() int
	// Active is the number of conversations in memory.
	Active() int
	// Held reports since when a channel can't send from this node, and why; the zero time where it
	// can.
	Held(channel string) (since time.Time, reason string)
}

// Options configure a Service.
type Options struct {
	Store    Store
	Node     Node
	Operator Operator
	Reloader Reloader
	// Cluster is nil where this node stays alone.
	Cluster Cluster
	// Backups is nil where no target for backups is configured.
	Backups Backups
	Name    string
	Version string
	Shards  uint32
	// Channels are those to begin with.
	Channels []*wactorv1.ChannelStatus
	// Check reports why a channel's provider would refuse a reply; nil: nothing is checked.
	Check func(channel string, reply *wactorv1.Reply) error
	// Gate lets callers in. Required.
	Gate *Gate
	// Logger receives a line for each change. Required.
	Logger *slog.Logger
	// LogName names a conversation in logs, without telling who it is. Required.
	LogName func(conversation.ID) string
	Started time.Time
}

// Service answers the operations of wactor.v1.AdminService. Its methods are safe for concurrent
// use.
type Service struct {
	options    Options
	operations map[string]*operation
	channels   atomic.Pointer[[]*wactorv1.ChannelStatus]
}

// New returns a Service.
func New(options Options) *Service {
	s := &Service{options: options, operations: operations}
	s.SetChannels(options.Channels)
	return s
}

// SetChannels replaces the channels that are known.
func (s *Service) SetChannels(channels []*wactorv1.ChannelStatus) { s.channels.Store(&channels) }

// Gate is what lets callers in.
func (s *Service) Gate() *Gate { return s.options.Gate }

// Handler returns the path and the handler of the admin API: a route for each operation.
func (s *Service) Handler() (path string, handler http.Handler) {
	const maxRequest = 1 << 20
	mux := http.NewServeMux()
	for _, o := range s.operations {
		options := []connect.HandlerOption{connect.WithReadMaxBytes(maxRequest), connect.WithSchema(o.method)}
		if !o.write {
			options = append(options, connect.WithIdempotency(connect.IdempotencyNoSideEffects))
		}
		mux.Handle(o.procedure(), unhurried(o, o.handler(s, options...)))
	}
	return "/" + string(adminService.FullName()) + "/", s.options.Gate.Identify(mux)
}

// unhurried lets an operation take as long as it takes. The server's bound is on how long a request
// may be under way to it, and would end this one's context when it is over.
func unhurried(o *operation, next http.Handler) http.Handler {
	if !o.rule.GetLong() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		next.ServeHTTP(w, r)
	})
}

func (s *Service) status(context.Context, *wactorv1.StatusRequest) (*wactorv1.StatusResponse, error) {
	return &wactorv1.StatusResponse{
		Node: s.options.Name, Version: s.options.Version, UptimeMs: time.Since(s.options.Started).Milliseconds(),
		Shards: s.options.Shards, ShardsLed: uint32(s.options.Node.ShardsLed()),
		ActiveConversations: uint64(s.options.Node.Active()), Channels: *s.channels.Load(),
	}, nil
}

// identities are those of a user on all channels, or on one.
func (s *Service) identities(ctx context.Context, user, channel string) ([]conversation.ID, error) {
	if digitsOf(user) == "" {
		return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("user is empty: give phone digits or a "+
			"BSUID, as webhooks name them"))
	}
	if channel != "" && !hasChannel(s, channel) {
		return nil, connect.NewError(connect.CodeNotFound, errors.New("no such channel"))
	}
	var ids []conversation.ID
	for _, c := range *s.channels.Load() {
		if channel != "" && channel != c.Name {
			continue
		}
		id, err := s.spelt(ctx, conversation.ID{Channel: c.Name, User: user})
		if err != nil {
			return nil, readError(err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// spelt is the identity that was meant: as it was given where a conversation has that very name, or
// else the digits of a phone number.
func (s *Service) spelt(ctx context.Context, id conversation.ID) (conversation.ID, error) {
	digits := conversation.ID{Channel: id.Channel, User: digitsOf(id.User)}
	if digits == id {
		return id, nil
	}
	found := &wactorv1.TraceResponse{}
	err := s.ask(ctx, s.shard(id), s.operations["Trace"], &wactorv1.TraceRequest{User: id.User, Channel: id.Channel},
		found)
	if err != nil || len(found.Conversations) > 0 {
		return id, err
	}
	return digits, nil
}

func hasChannel(s *Service, name string) bool {
	for _, channel := range *s.channels.Load() {
		if channel.Name == name {
			return true
		}
	}
	return false
}
