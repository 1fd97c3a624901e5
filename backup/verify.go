package backup

import (
	"context"
	"fmt"
	"io"

	"filippo.io/age"
	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/conversation/audit"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Level is how deep a backup is looked into.
type Level string

// The levels, each with all that those before it look at.
const (
	// Files: each object is there and holds the bytes that were written. It needs no identity.
	Files Level = "files"
	// Records: each object can be decrypted and holds the records that were read.
	Records Level = "records"
	// Audit: each conversation can be loaded, and its journal keeps the promises.
	Audit Level = "audit"
)

// Levels are all, the shallowest first.
var Levels = []Level{Files, Records, Audit}

// Verify looks into a backup. Problems are what an audit finds, up to 20 by shard; an error is a
// backup that can't be restored.
func Verify(ctx context.Context, target Target, m *Manifest, level Level, identities []age.Identity) (problems []string,
	err error) {
	for _, o := range m.Objects {
		if err := ctx.Err(); err != nil {
			return problems, err
		}
		switch level {
		case Files:
			err = verifyFile(ctx, target, o)
		case Records:
			err = readObject(ctx, target, m, o, identities, func(_, _ []byte) error { return ctx.Err() })
		case Audit:
			a := &auditor{shard: o.Shard}
			err = readObject(ctx, target, m, o, identities, func(key, value []byte) error {
				a.take(key, value)
				return ctx.Err()
			})
			a.finish()
			problems = append(problems, a.problems...)
		default:
			return nil, fmt.Errorf("backup: %q is no level: files, records or audit", level)
		}
		if err != nil {
			return problems, err
		}
	}
	return problems, nil
}

// verifyFile compares an object with its hash.
func verifyFile(ctx context.Context, target Target, o Object) error {
	return readStored(ctx, target, o, func(io.Reader) error { return nil })
}

// maxProblems bounds what is reported of one shard.
const maxProblems = 20

// auditor looks at the conversations of a shard, one after the other.
type auditor struct {
	shard    uint32
	name     string
	loader   *conversation.Loader
	head     *wactorv1.Head
	entries  []*wactorv1.JournalEntry
	problems []string
	failed   bool
}

func (a *auditor) take(key, value []byte) {
	name, kind, suffix, ok := cutConversation(key)
	switch {
	case record.Class(key[0]) != record.ClassConversation:
		return
	case !ok:
		a.problem("a key of a conversation can't be read")
		return
	}
	if name != a.name {
		a.finish()
		a.begin(name)
	}
	if a.failed {
		return
	}
	var err error
	switch kind {
	case wactorv1.RecordKind_RECORD_KIND_HEAD:
		_, value, err = record.SplitHead(value)
		if err == nil {
			a.head = &wactorv1.Head{}
			err = proto.Unmarshal(value, a.head)
		}
		if err == nil {
			err = a.loader.Record(kind, suffix, value)
		}
	case wactorv1.RecordKind_RECORD_KIND_JOURNAL:
		journal := &wactorv1.Journal{}
		err = proto.Unmarshal(value, journal)
		a.entries = append(a.entries, journal.Entries...)
	case wactorv1.RecordKind_RECORD_KIND_DEAD:
		err = proto.Unmarshal(value, &wactorv1.DeadLetter{})
	default:
		err = a.loader.Record(kind, suffix, value)
	}
	if err != nil {
		a.failed = true
		a.problem(fmt.Sprintf("a record of kind %v can't be read", kind))
	}
}

func (a *auditor) begin(name string) {
	id, err := conversation.ParseID(name)
	*a = auditor{shard: a.shard, problems: a.problems, name: name, loader: conversation.NewLoader(id, auditConfig)}
	if err != nil {
		a.failed = true
		a.problem("a name of a conversation can't be read")
	}
}

var auditConfig = conversation.Config{}.WithDefaults()

// finish judges the conversation that was read. Problems name no user.
func (a *auditor) finish() {
	if a.name == "" || a.failed {
		return
	}
	if a.head == nil {
		a.problem("a conversation has no head")
		return
	}
	for _, violation := range audit.Journal(a.entries, a.head.FirstJournal > 1) {
		a.problem(violation)
	}
}

func (a *auditor) problem(what string) {
	if len(a.problems) < maxProblems {
		a.problems = append(a.problems, fmt.Sprintf("shard %d: %s", a.shard, what))
	}
}
