package store

import (
	"fmt"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// EntryFormat is the highest format of log entries that this version applies. Applied by a version
// that does not know all of it, an entry would make another state there than elsewhere. So each
// names the format that it needs (Command.format), no node writes one that some node does not know
// (AllowFormat), and a node that meets one all the same stops: see ErrNewer.
//
// Format 1 gives the cluster's state a place of its own. Format 2 knows conversations that the bot
// does not own: their index, and that no bot is called.
const EntryFormat = 2

// formatCluster is the first format in which the cluster's state has a place of its own.
const formatCluster = 1

// AllowFormat says up to which format entries may be written: what all nodes can apply. At first
// that is 0. What this version does not know is never written.
func (s *Store) AllowFormat(format uint32) { s.allowed.Store(format) }

// mayWrite rejects an entry that not all nodes can apply.
func (s *Store) mayWrite(command *wactorv1.Command) error {
	if allowed := min(s.allowed.Load(), s.options.format); command.GetFormat() > allowed {
		return fmt.Errorf("%w: its format is %d, all nodes apply up to %d: upgrade the others first", ErrNewer,
			command.GetFormat(), allowed)
	}
	return nil
}

// tooNew is why this version can't apply an entry, whose format it does not know or whose kind.
func (m *machine) tooNew(command *wactorv1.Command) error {
	return fmt.Errorf("%w: it needs format %d or higher, and this version applies up to %d: run the version that the "+
		"other nodes run; nothing is damaged",
		ErrNewer, max(command.GetFormat(), m.format+1), m.format)
}
