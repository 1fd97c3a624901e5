package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/replication"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Options configure a Store.
type Options struct {
	// Disk is where the files are. Its Fatal and Logger are those below.
	Disk engine.Options
	// Replication is how the logs are replicated. Its Engine, Machine, Encode, Logger and
	// Registerer are the store's.
	Replication replication.Options
	// DedupWindow is how long message ids are remembered, at least: the longest that any
	// conversation asks for. Ids older than it are forgotten, a generation
	// (conversation.GenerationMs) at a time. 0: never.
	DedupWindow time.Duration
	// Now is the time that the window counts back from. Default time.Now.
	Now func() time.Time
	// Fatal ends the process after an error of the disk: what the kernel dropped can't be known. It
	// must not return. Default: log and exit.
	Fatal      func(err error)
	Logger     *slog.Logger
	Registerer prometheus.Registerer

	// format is the highest format of entries that this version applies. Default: EntryFormat.
	format uint32
}

func (o Options) withDefaults() Options {
	o.format = max(o.format, EntryFormat)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Fatal == nil {
		logger := o.Logger
		o.Fatal = func(err error) { exit(logger, err) }
	}
	o.Disk.Fatal, o.Disk.Logger = o.Fatal, o.Logger
	o.Replication.Logger, o.Replication.Registerer = o.Logger, o.Registerer
	return o
}

var (
	// ErrStale: the conversation is at another revision than the commit names. It was not applied,
	// and never will be.
	ErrStale = replication.NewRejection("stale", "persistence: the conversation is at another revision")
	// ErrNewer: a log entry of a format that this node, or another one, can't apply.
	ErrNewer = errors.New("persistence: a log entry of a newer version")
)

// Store is the replicated logs of this node's shards, and the state that was applied from them.
type Store struct {
	*replication.Host
	options Options
	db      *engine.Engine
	// allowed is the highest format of entries that may be written.
	allowed atomic.Uint32
	expiry  *expiry
	feeds   []*Feed // by shard
}

// Open opens a store, or creates one in an empty directory. Where this node is the only voter of a
// shard it is the leader, and Options.Replication.LeadershipChanged was called, when it returns.
func Open(options Options) (*Store, error) {
	s := newStore(options.withDefaults())
	err := checkRestored(s.options.Disk)
	if err != nil {
		return nil, err
	}
	if s.db, err = engine.Open(s.options.Disk); err != nil {
		return nil, err
	}
	o := s.options.Replication
	o.Engine = s.db
	if s.Host, err = replication.Open(o); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	if s.options.DedupWindow > 0 && !o.Manual {
		s.expiry.start()
	}
	return s, nil
}

// newStore makes a store that is not open yet.
func newStore(options Options) *Store {
	s := &Store{options: options}
	for range options.Replication.Shards + 1 {
		s.feeds = append(s.feeds, newFeed())
	}
	s.expiry = newExpiry(s)
	o, changed := &s.options.Replication, options.Replication.LeadershipChanged
	o.Machine, o.Encode = s.newMachine, s.encode
	o.LeadershipChanged = func(shard uint32, now replication.Leadership) {
		s.expiry.observe(shard, now)
		if changed != nil {
			changed(shard, now)
		}
	}
	return s
}

// Propose proposes a command to a shard's log, in a term. The command is the store's from now on.
// It never blocks; done is called exactly once, perhaps before Propose returns, and must not block:
// it holds up the lane. The revision is the conversation's after a commit.
func (s *Store) Propose(
	shard uint32, term uint64, command *wactorv1.Command, done func(revision uint64, err error),
) {
	s.Host.Propose(shard, term, command, done)
}

// ProposeLazy is Propose for a command whose outcome no caller waits for; see
// replication.Host.ProposeLazy.
func (s *Store) ProposeLazy(
	shard uint32, term uint64, command *wactorv1.Command, done func(revision uint64, err error),
) {
	s.Host.ProposeLazy(shard, term, command, done)
}

// Full reports whether less than the reserve is left on the disk: new messages should be rejected.
func (s *Store) Full() bool { return s.db.Full() }

// encode is what the log holds of a command. It rejects one that could not be applied, before it is
// in the log.
func (s *Store) encode(value any) ([]byte, error) {
	command := value.(*wactorv1.Command)
	if err := errors.Join(check(command), s.mayWrite(command)); err != nil {
		return nil, err
	}
	data, err := proto.Marshal(command)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", replication.ErrMalformed, err)
	}
	return data, nil
}

// Close stops the lanes and closes the files. Proposals that wait are answered ErrClosed. It waits
// for reads under way; it must not be called from a callback of the store.
func (s *Store) Close() error {
	s.expiry.close()
	if err := s.Host.Close(); err != nil {
		return err
	}
	return s.db.Close()
}

// exit ends the process. After a failed write the kernel may have dropped what it was given, and
// only the next start, which reads it, can tell what is on the disk.
func exit(logger *slog.Logger, err error) {
	if errors.Is(err, ErrNewer) {
		logger.Error("the log holds what only a newer version can apply; the process ends", "error", err)
		os.Exit(70)
	}
	logger.Error("the disk failed; the process ends, since what it holds can only be known by reading it anew",
		"error", err)
	os.Exit(70)
}
