package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wactor/wactor/backup"
	"github.com/wactor/wactor/persistence/store"
)

// restore fills an empty data directory with a backup, where the configuration wants that. Where
// anything lies in the directory nothing is done, and the place of the backups is not even asked.
func (b *backups) restore(ctx context.Context) error {
	n := b.n
	c, dir := n.config.Restore, n.config.Node.DataDir
	if c.From == "" {
		return nil
	}
	vacant, err := store.Vacant(dir)
	if err != nil || !vacant {
		return err
	}
	options := backup.RestoreOptions{}
	if c.Identity != "" {
		if options.Identities, err = backup.ReadIdentities(c.Identity); err != nil {
			return fmt.Errorf("node: restore.identity: %w", err)
		}
	}
	m, err := backup.Find(ctx, b.target, c.From)
	if errors.Is(err, backup.ErrNone) && c.From == backup.Latest {
		n.options.Logger.Info("there is no backup to restore: the node begins with an empty store")
		return nil
	}
	if err != nil {
		return fmt.Errorf("node: restore.from %s: %w", c.From, err)
	}
	if int(m.Shards) != n.config.Cluster.Shards {
		return fmt.Errorf("node: the backup %s has %d shards: set cluster.shards to that", m.Name, m.Shards)
	}
	began := time.Now()
	n.options.Logger.Info("restoring a backup", "backup", m.Name, "conversations", m.Totals().Conversations)
	var restored backup.Restored
	_, err = store.Restore(dir, int(m.Shards), m.Epoch+1,
		func(put func(shard uint32, key, value []byte) error) (err error) {
			restored, err = backup.Restore(ctx, b.target, m, options, put)
			return err
		})
	if err != nil {
		return fmt.Errorf("node: restoring %s: %w", m.Name, err)
	}
	n.options.Logger.Info("restored a backup", "backup", m.Name, "conversations", restored.Conversations, "held",
		restored.Held, "took", time.Since(began).Round(time.Millisecond).String())
	return nil
}
