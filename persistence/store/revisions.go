package store

import (
	"github.com/wactor/wactor/internal/planted"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// takes reports whether a commit may be made on it. The revision alone would not do where commits
// are pipelined: those of an activation that has ended may still be under way when the next one
// reads what is there and pipelines its own. Its first ones are refused then, and one after them
// could name the very number that the older ones have made.
func takes(at record.Standing, commit *wactorv1.Commit) bool {
	chained := !commit.Follows || at.Chain == commit.Chain || planted.Is(planted.ChainUnchecked)
	return at.Revision == commit.BaseRevision && chained || planted.Is(planted.RevisionUnchecked)
}

// revisionCache remembers revisions of conversations that were committed lately, in two
// generations. It is never wrong, since apply alone changes revisions and goes through it; it must
// not rotate while a batch is being filled, whose changes the store does not show yet.
type revisionCache struct {
	young, old map[string]record.Standing
	max        int
}

// maxRevisions is the sum over all groups, of the young generation; a revision takes about 100
// bytes.
const maxRevisions, minRevisions = 64 << 10, 64

func newRevisionCache(most int) revisionCache {
	return revisionCache{young: map[string]record.Standing{}, max: most}
}

func (c *revisionCache) get(name string) (record.Standing, bool) {
	if at, ok := c.young[name]; ok {
		return at, true
	}
	at, ok := c.old[name]
	return at, ok
}

func (c *revisionCache) set(name string, at record.Standing) { c.young[name] = at }

// rotate makes room, between batches.
func (c *revisionCache) rotate() {
	if len(c.young) >= c.max {
		c.young, c.old = map[string]record.Standing{}, c.young
	}
}
