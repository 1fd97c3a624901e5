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
	hashes []uint64
	// asked counts the look-ups until those from before were read.
	asked int
	// whole: nothing is in the store that is not in hashes. refused: there are too many to keep.
	whole, refused bool
}

const (
	// readIDsAfter is how many look-ups an activation makes in the store before it reads all ids.
	readIDsAfter = 2
	// maxIDs bounds those that an activation keeps: 8 bytes each.
	maxIDs = 1024
)

// seen reports whether the store holds a message id. Where it can't tell, the activation ends: a
// guess would lose or double a message.
func (a *activation) seen(id string) bool {
	generations := a.machine.Generations()
	if len(generations) == 0 {
		a.ids.whole = !a.ids.refused // nothing was ever proposed: what will be is noted
		return false
	}
	if a.isNew(id, generations) {
		return false
	}
	for _, generation := range generations {
		known, err := a.runtime.options.Store.Seen(a.table.shard, a.id.String(), generation, id)
		if err != nil {
			a.cantLookUp(err)
			return false
		}
		if known {
			return true
		}
	}
	return false
}

func (a *activation) cantLookUp(err error) {
	a.runtime.options.Logger.Error("message ids can't be looked up", "conversation", a.logName(), "error", err)
	a.end(fmt.Errorf("actors: look for duplicates: %w", err))
}

// isNew reports that the store can't hold an id; false says nothing.
func (a *activation) isNew(id string, generations []uint32) bool {
	if a.ids.asked++; !a.ids.whole && !a.ids.refused && a.ids.asked > readIDsAfter {
		a.readIDs(generations)
	}
	return (a.ids.whole || planted.Is(planted.NewIDsAssumed)) && !slices.Contains(a.ids.hashes,
		maphash.String(a.runtime.hashSeed, id))
}

// readIDs reads the ids from before this activation. What it has proposed may be among them twice.
func (a *activation) readIDs(generations []uint32) {
	for _, generation := range generations {
		err := a.runtime.options.Store.SeenIn(a.table.shard, a.id.String(), generation, func(id []byte) error {
			if !a.ids.add(maphash.Bytes(a.runtime.hashSeed, id)) {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return
		}
		if err != nil {
			a.ids.refused = true // the look-ups that follow tell what is wrong
			return
		}
	}
	a.ids.whole = true
}

// add keeps a hash; false where there are too many.
func (i *ids) add(hash uint64) bool {
	if i.refused || len(i.hashes) >= maxIDs {
		*i = ids{refused: true}
		return false
	}
	i.hashes = append(i.hashes, hash)
	return true
}

// noteIDs keeps the ids that a commit adds.
func (a *activation) noteIDs(commit *wactorv1.Commit) {
	for _, put := range commit.Puts {
		if put.Kind == wactorv1.RecordKind_RECORD_KIND_SEEN {
			a.ids.add(maphash.Bytes(a.runtime.hashSeed, record.SeenID(put.Suffix)))
		}
	}
}
