package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
	"github.com/wactor/wactor/persistence/replication"
)

var (
	// ErrNotEmpty: something lies where a store is to be restored to.
	ErrNotEmpty = errors.New("persistence: the directory is not empty")
	// ErrRestoring: a restore to the directory did not come to its end.
	ErrRestoring = errors.New("persistence: the restore to this directory did not come to its end")
)

// restoring is the file that says that a directory is being restored: what else lies there is of no
// use, and the next restore removes it.
const restoring = "restoring"

// restoreBatch is about how many bytes a restore writes at once.
const restoreBatch = 4 << 20

// Restore makes a store in an empty directory: a new cluster of one node, whose shards hold what
// fill puts. Keys lack the shard, and come in any order. Where it fails, the directory is no store,
// and may be restored to again. It returns ErrNotEmpty where anything else lies there, and changes
// nothing then.
func Restore(dir string, shards int, epoch uint64,
	fill func(put func(shard uint32, key, value []byte) error) error) (cluster uint64, err error) {
	if err := clearForRestore(dir); err != nil {
		return 0, err
	}
	var failure error
	db, err := engine.Open(engine.Options{Dir: dir, Fatal: func(err error) { failure = err },
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 0, err
	}
	batch := db.NewBatch()
	err = fill(func(shard uint32, key, value []byte) error {
		whole, ok := record.PutShard(shard, key)
		if !ok || shard == 0 || int(shard) > shards {
			return fmt.Errorf("%w: a key of shard %d", replication.ErrMalformed, shard)
		}
		if err := batch.Set(whole, value, nil); err != nil || batch.Len() < restoreBatch {
			return err
		}
		err := batch.Commit(pebble.NoSync)
		batch.Reset()
		return errors.Join(err, failure)
	})
	if err == nil {
		err = batch.Commit(pebble.NoSync)
	}
	err = errors.Join(err, batch.Close(), failure)
	if err == nil {
		cluster, err = replication.Found(db, shards, epoch)
	}
	if err = errors.Join(err, db.Close(), failure); err != nil {
		return 0, fmt.Errorf("persistence: restoring to %s failed: %w", dir, err)
	}
	if err := os.Remove(filepath.Join(dir, restoring)); err != nil {
		return 0, err
	}
	opened, err := os.Open(dir)
	if err != nil {
		return 0, err
	}
	// The mark must not come back once the store is used.
	return cluster, errors.Join(opened.Sync(), opened.Close())
}

// clearForRestore marks an empty directory as one that is being restored, or empties one that was
// marked before.
func clearForRestore(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	mark := filepath.Join(dir, restoring)
	_, err := os.Stat(mark)
	marked := err == nil
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		switch {
		case entry.Name() == restoring || entry.Name() == "lost+found":
		case !marked:
			return fmt.Errorf("%w: %s", ErrNotEmpty, dir)
		default:
			if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(mark, nil, 0o600)
}

// Vacant reports whether a directory holds no store, and nothing but what a restore left that did
// not come to its end.
func Vacant(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	vacant := true
	for _, entry := range entries {
		switch entry.Name() {
		case restoring:
			return true, nil // whatever lies beside it
		case "lost+found":
		default:
			vacant = false
		}
	}
	return vacant, nil
}

// checkRestored rejects a directory that is being restored.
func checkRestored(o engine.Options) error {
	if o.FS != nil {
		return nil // a simulation restores nothing
	}
	if _, err := os.Stat(filepath.Join(o.Dir, restoring)); err == nil {
		return fmt.Errorf("%w: %s: restore it again", ErrRestoring, o.Dir)
	}
	return nil
}
