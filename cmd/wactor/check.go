package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
)

func checkCommand() *cobra.Command {
	var path string
	command := &cobra.Command{
		Use:   "check",
		Short: "Check a configuration and the flows that it names",
		Long:  `Check a configuration and its flows, and print every mistake with file, line and column, and what to do. Exit status 1 where there is one.`,
		Args:  configByFlag,
		RunE: func(command *cobra.Command, _ []string) error {
			cfg, _, err := loadConfig(command, path)
			if err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "%s: ok, %d channels, %d bots\n", path, len(cfg.Channels), len(cfg.Bots))
			return nil
		},
	}
	addConfigFlag(command, &path)
	return command
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
