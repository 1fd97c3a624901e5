// Package command is the program's commands for backups: what is done with one without a running
// node.
package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"github.com/wactor/wactor/backup"
)

// Backup is the commands of "wactor backup" that need no node.
func Backup() []*cobra.Command {
	return []*cobra.Command{backupList(), backupShow(), backupVerify()}
}

// opened calls a function with the backup that arguments name: where backups lie, and which one.
func opened(ctx context.Context, args []string, do func(backup.Target, *backup.Manifest) error) error {
	target, err := backup.OpenTarget(args[0])
	if err != nil {
		return err
	}
	name := backup.Latest
	if len(args) > 1 {
		name = args[1]
	}
	m, err := backup.Find(ctx, target, name)
	if err != nil {
		return fmt.Errorf("%w (%s)", err, args[0])
	}
	return do(target, m)
}

func backupList() *cobra.Command {
	return &cobra.Command{
		Use: "list URL", Short: "List the backups in a place", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			target, err := backup.OpenTarget(args[0])
			if err != nil {
				return err
			}
			all, err := backup.List(command.Context(), target)
			if err != nil {
				return err
			}
			return printBackups(command.OutOrStdout(), all)
		},
	}
}

func printBackups(out io.Writer, all []backup.Listed) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "BACKUP\tTAKEN\tSHARDS\tCONVERSATIONS\tBYTES\tENCRYPTED")
	damaged := 0
	for _, one := range all {
		if one.Err != nil {
			damaged++
			fmt.Fprintf(table, "%s\t%v\n", one.Name, one.Err)
			continue
		}
		m, sums := one.Manifest, one.Manifest.Totals()
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%v\n", m.Name, m.TakenAt.Format("2006-01-02T15:04:05Z07:00"), m.Shards,
			sums.Conversations, sums.Stored, m.Encrypted)
	}
	if err := table.Flush(); err != nil || damaged == 0 {
		return err
	}
	return fmt.Errorf("%d of %d backups can't be read", damaged, len(all))
}

func backupShow() *cobra.Command {
	return &cobra.Command{
		Use: "show URL [BACKUP]", Short: "Print what a backup says of itself, as JSON", Args: cobra.RangeArgs(1, 2),
		RunE: func(command *cobra.Command, args []string) error {
			return opened(command.Context(), args, func(_ backup.Target, m *backup.Manifest) error {
				encoder := json.NewEncoder(command.OutOrStdout())
				encoder.SetIndent("", "  ")
				return encoder.Encode(m)
			})
		},
	}
}

// identities are the secret keys of --identity.
func identities(file string) ([]age.Identity, error) {
	if file == "" {
		return nil, nil
	}
	return backup.ReadIdentities(file)
}

// errProblems: what an audit found has been printed.
var errProblems = errors.New("the backup can be restored, but conversations in it contradict the promises")

func backupVerify() *cobra.Command {
	var level, identity string
	words := make([]string, len(backup.Levels))
	for i, l := range backup.Levels {
		words[i] = string(l)
	}
	command := &cobra.Command{
		Use: "verify URL [BACKUP]", Short: "Look for damage in a backup, the newest one if none is named",
		Long: `Look for damage in a backup, the newest one if none is named.

--level files    each object is there with the bytes that were written; needs no key
--level records  each object can be decrypted and holds the records that were written
--level audit    each conversation can be loaded, and its journal keeps what Wactor promises`,
		Args: cobra.RangeArgs(1, 2),
	}
	command.Flags().StringVar(&level, "level", string(backup.Records), strings.Join(words, ", "))
	command.Flags().StringVar(&identity, "identity", "", "file with the secret key, as age-keygen writes it")
	command.RunE = func(command *cobra.Command, args []string) error {
		if !slices.Contains(words, level) {
			return fmt.Errorf("--level is %s, not %q", strings.Join(words, ", "), level)
		}
		keys, err := identities(identity)
		if err != nil {
			return err
		}
		return opened(command.Context(), args, func(target backup.Target, m *backup.Manifest) error {
			problems, err := backup.Verify(command.Context(), target, m, backup.Level(level), keys)
			for _, problem := range problems {
				fmt.Fprintln(command.OutOrStdout(), problem)
			}
			switch sums := m.Totals(); {
			case err != nil:
				return withRemedy(err)
			case len(problems) > 0:
				return errProblems
			default:
				fmt.Fprintf(command.OutOrStdout(), "%s is whole (%s): %d conversations in %d shards\n", m.Name, level,
					sums.Conversations, m.Shards)
			}
			return nil
		})
	}
	return command
}

// withRemedy says what to do about a key that is missing.
func withRemedy(err error) error {
	if errors.Is(err, backup.ErrKey) {
		return fmt.Errorf("%w: give the file of the secret key by --identity", err)
	}
	return err
}
