package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// group makes a command of subcommands: alone it prints its help, and what is none of them is an
// error. Left to itself cobra prints help and succeeds, which a script takes for done.
func group(command *cobra.Command, subcommands ...*cobra.Command) *cobra.Command {
	command.AddCommand(subcommands...)
	command.DisableFlagsInUseLine = true
	command.SuggestionsMinimumDistance = 2 // cobra's own default, which it sets only where it suggests by itself
	command.Args = func(command *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		if near := command.SuggestionsFor(args[0]); len(near) > 0 {
			return fmt.Errorf("unknown command %q for %q; did you mean %s?", args[0], command.CommandPath(),
				strings.Join(near, " or "))
		}
		return fmt.Errorf("unknown command %q for %q; --help lists those that there are", args[0],
			command.CommandPath())
	}
	command.RunE = func(command *cobra.Command, _ []string) error { return command.Help() }
	return command
}
