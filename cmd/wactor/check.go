package main

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wactor/wactor/flow"
)

func checkCommand() *cobra.Command {
	var path string
	command := &cobra.Command{
		Use:   "check",
		Short: "Check a configuration and the flows that it names",
		Long:  `Check a configuration and its flows, and print every mistake with file, line and column, and what to do. Exit status 1 where there is one.`,
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			cfg, err := loadConfig(path, command.ErrOrStderr())
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

func flowCommand() *cobra.Command {
	command := &cobra.Command{Use: "flow", Short: "Work on flows"}
	command.AddCommand(&cobra.Command{
		Use:   "check FILE...",
		Short: "Check flows",
		Long: `Check flows and print every mistake with file, line and column, and what to do: unknown keys, missing and unreachable steps, loops
without input, expressions that do not compile, and what WhatsApp would refuse. Exit status 1 where there is one.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, files []string) error {
			failed := false
			for _, file := range files {
				if _, err := loadFlow(file); err != nil {
					failed = true
					_ = report(err, command.ErrOrStderr())
					continue
				}
				fmt.Fprintf(command.OutOrStdout(), "%s: ok\n", file)
			}
			if failed {
				return quietError{1}
			}
			return nil
		},
	})
	return command
}

func loadFlow(file string) (*flow.Flow, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return flow.Parse(file, source)
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
