package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wactor/wactor/backup"
	"github.com/wactor/wactor/persistence/store"
)

// What becomes of what a backup holds as unfinished.
const (
	unfinishedHold     = "hold"
	unfinishedContinue = "continue"
)

// Restore is the command "wactor restore".
func Restore() *cobra.Command {
	var data, identity, unfinished string
	command := &cobra.Command{
		Use:   "restore URL [BACKUP]",
		Short: "Make a data directory of a backup, the newest one if none is named",
		Long: `Make a data directory of a backup, the newest one if none is named. No node may use the directory.
What is made is a new cluster of one node: start it with wactor serve, then let the others join, with empty
directories.

The cluster of the backup went on after it was made. So what was unfinished then becomes dead letters, for
nothing to reach a user twice: messages without an answer, replies that had not left, timers that are due. See
wactor conversations dead-letters. --unfinished continue lets it go on instead; that is right where the cluster
had stopped before the backup was made.`,
		Args: cobra.RangeArgs(1, 2),
	}
	command.Flags().StringVar(&data, "data", "", "the data directory, empty or not there yet; required")
	command.Flags().StringVar(&identity, "identity", "", "file with the secret key, as age-keygen writes it")
	command.Flags().StringVar(&unfinished, "unfinished", unfinishedHold,
		"what becomes of what was unfinished: hold or continue")
	_ = command.MarkFlagRequired("data")
	command.RunE = func(command *cobra.Command, args []string) error {
		if unfinished != unfinishedHold && unfinished != unfinishedContinue {
			return fmt.Errorf("--unfinished is hold or continue, not %q", unfinished)
		}
		keys, err := identities(identity)
		if err != nil {
			return err
		}
		options := backup.RestoreOptions{Identities: keys, Continue: unfinished == unfinishedContinue}
		return opened(command.Context(), args, func(target backup.Target, m *backup.Manifest) error {
			cluster, restored, err := restoreTo(command.Context(), data, target, m, options)
			if errors.Is(err, store.ErrNotEmpty) {
				return fmt.Errorf("%s is not empty: nothing was changed; name an empty directory", data)
			}
			if err != nil {
				return withRemedy(err)
			}
			fmt.Fprintf(command.OutOrStdout(), "%s is restored to %s: %d conversations; of %d, something is held "+
				"as a dead letter\nit is cluster %016x now, with %d shards: set cluster.shards to that\n", m.Name, data,
				restored.Conversations, restored.Held, cluster, m.Shards)
			return nil
		})
	}
	return command
}

// restoreTo makes a data directory of a backup.
func restoreTo(ctx context.Context, data string, target backup.Target, m *backup.Manifest,
	options backup.RestoreOptions) (cluster uint64, restored backup.Restored, err error) {
	cluster, err = store.Restore(data, int(m.Shards), m.Epoch+1,
		func(put func(shard uint32, key, value []byte) error) error {
			restored, err = backup.Restore(ctx, target, m, options, put)
			return err
		})
	return cluster, restored, err
}
