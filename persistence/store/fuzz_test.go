package store

import (
	"bytes"
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/replication"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// FuzzApply: an entry of the log is applied, refused or corrupt, the same way twice, and never a
// panic. What was applied changed one conversation by one revision.
func FuzzApply(f *testing.F) {
	for _, c := range []*wactorv1.Command{
		command(commitOf("shop/1", 0, put(seen, generation(1)+"id", ""), put(dueIndex, seq(1)+"t", ""))),
		command(commitOf("shop/2", 1)), {}, {Format: 1},
		{Command: &wactorv1.Command_ExpireSeen{ExpireSeen: &wactorv1.ExpireSeen{Before: 7}}},
	} {
		data, err := proto.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte{0xff})
	s := open(f, setup{Shards: 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		var written [][]byte
		for range 2 {
			m := &machine{shard: 1, db: s.db, revisions: newRevisionCache(10), feed: newFeed()}
			batch := s.db.NewBatch()
			revision, err := m.Apply(batch, 1, replication.Command{Data: data})
			if err != nil && !errors.Is(err, ErrStale) && !errors.Is(err, replication.ErrMalformed) &&
				!errors.Is(err, engine.ErrCorrupt) && !errors.Is(err, ErrNewer) {
				t.Fatal(err)
			}
			if err != nil && !batch.Empty() {
				t.Fatalf("%v, but something is written", err)
			}
			var c wactorv1.Command
			if err == nil && proto.Unmarshal(data, &c) == nil && c.GetCommit() != nil &&
				revision != c.GetCommit().BaseRevision+1 {
				t.Fatalf("revision %d on %d", revision, c.GetCommit().BaseRevision)
			}
			written = append(written, bytes.Clone(batch.Repr()))
			batch.Close()
		}
		if !bytes.Equal(written[0], written[1]) {
			t.Fatal("applied twice, it wrote different things")
		}
	})
}
