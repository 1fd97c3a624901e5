package persistence

// revisionCache remembers revisions of conversations that were committed lately, in two generations. It is never wrong, since
// apply alone changes revisions and goes through it; it must not rotate while a batch is being filled, whose changes the store
// does not show yet.
type revisionCache struct {
	young, old map[string]uint64
	max        int
}

// maxRevisions is the sum over all groups, of the young generation; a revision takes about 100 bytes.
const maxRevisions, minRevisions = 64 << 10, 64

func newRevisionCache(most int) revisionCache {
	return revisionCache{young: map[string]uint64{}, max: most}
}

func (c *revisionCache) get(name string) (uint64, bool) {
	if revision, ok := c.young[name]; ok {
		return revision, true
	}
	revision, ok := c.old[name]
	return revision, ok
}

func (c *revisionCache) set(name string, revision uint64) { c.young[name] = revision }

// rotate makes room, between batches.
func (c *revisionCache) rotate() {
	if len(c.young) >= c.max {
		c.young, c.old = map[string]uint64{}, c.young
	}
}
