package actors

import (
	"errors"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/wactor/wactor/internal/planted"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// ids are hashes of the message ids that the store holds of a conversation, so that a new id, which
// nearly all are, is known to be new without a look into the store. All of them are in it that this
// activation has proposed; those from before it are read once a user turns out to write several
// messages, which costs about as much as a few look-ups. Only an activation can commit, so nothing
// is added behind its back. A hash that is in it proves nothing: the store is asked then.
type ids struct {
	*subject
	hashes []uint64
	// asked counts the look-ups until those from before were read.
	asked int
	// whole: nothing is in the store that is not in hashes. tooMany: they are not kept.
	whole, tooMany bool
}

const (
	// readIDsAfter is how many look-ups an activation makes in the store before it reads all ids.
	readIDsAfter = 2
	// maxIDs bounds those that an activation keeps: 8 bytes each.
	maxIDs = 1024
)

// seen reports whether the store holds a message id in one of the generations, all that it may be
// in.
func (i *ids) seen(id string, generations []uint32) (bool, error) {
	if len(generations) == 0 {
		i.whole = !i.tooMany // nothing was ever proposed: what will be is noted
		return false, nil
	}
	if i.isNew(id, generations) {
		return false, nil
	}
	for _, generation := range generations {
		known, err := i.store().Seen(i.table.shard, i.id.String(), generation, id)
		if known || err != nil {
			return known, err
		}
	}
	return false, nil
}

// isNew reports that the store can't hold an id; false says nothing.
func (i *ids) isNew(id string, generations []uint32) bool {
	if i.asked++; !i.whole && !i.tooMany && i.asked > readIDsAfter {
		i.read(generations)
	}
	return (i.whole || planted.Is(planted.NewIDsAssumed)) && !slices.Contains(i.hashes,
		maphash.String(i.runtime.hashSeed, id))
}

// read reads the ids from before this activation. What it has proposed may be among them twice.
func (i *ids) read(generations []uint32) {
	for _, generation := range generations {
		err := i.store().SeenIn(i.table.shard, i.id.String(), generation, func(id []byte) error {
			if !i.add(maphash.Bytes(i.runtime.hashSeed, id)) {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return
		}
		if err != nil {
			i.tooMany = true // the look-ups that follow show what is wrong
			return
		}
	}
	i.whole = true
}

// add keeps a hash; false where there are too many.
func (i *ids) add(hash uint64) bool {
	if i.tooMany || len(i.hashes) >= maxIDs {
		i.hashes, i.whole, i.tooMany = nil, false, true
		return false
	}
	i.hashes = append(i.hashes, hash)
	return true
}

// note keeps the ids that a commit adds.
func (i *ids) note(commit *wactorv1.Commit) {
	for _, put := range commit.Puts {
		if put.Kind == wactorv1.RecordKind_RECORD_KIND_SEEN {
			i.add(maphash.Bytes(i.runtime.hashSeed, record.SeenID(put.Suffix)))
		}
	}
}

// seen reports whether a message id was accepted before. Where that can't be found out, the
// activation ends: a guess would lose or double a message.
func (a *activation) seen(id string) bool {
	known, err := a.ids.seen(id, a.machine.Generations())
	if err != nil {
		a.runtime.options.Logger.Error("looking up message ids failed", "conversation", a.logName(), "error", err)
		a.end(fmt.Errorf("actors: look for duplicates: %w", err))
	}
	return known
}
