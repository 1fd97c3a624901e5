package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/wactor/wactor/internal/problem"
)

func checkCommand() *cobra.Command {
	var path string
	var asJSON bool
	command := &cobra.Command{
		Use:   "check",
		Short: "Check a configuration and the flows that it names",
		Long: `Check a configuration and its flows, and print every mistake with file, line and column, and what
to do. What a node starts with though it is likely a mistake, such as a weak secret, a secret in a
file that others can read, or plain http to another machine, is a warning.

Exit status: 0, with warnings or without; 1 where there is a mistake.`,
		Args: configByFlag,
		RunE: func(command *cobra.Command, _ []string) error {
			cfg, _, problems := readConfig(command, path)
			found := checked{File: path, Problems: listOf(problems)}
			if cfg != nil {
				found.Channels, found.Bots, found.Warnings = len(cfg.Channels), len(cfg.Bots), cfg.Warnings
			}
			return found.print(command.OutOrStdout(), command.ErrOrStderr(), asJSON)
		},
	}
	addConfigFlag(command, &path)
	addJSONFlag(command, &asJSON)
	return command
}

func addJSONFlag(command *cobra.Command, asJSON *bool) {
	command.Flags().BoolVar(asJSON, "json", false, "print JSON")
}

// checked is what a check found in a file.
type checked struct {
	File     string       `json:"file"`
	OK       bool         `json:"ok"`
	Channels int          `json:"channels"`
	Bots     int          `json:"bots"`
	Problems problem.List `json:"problems"`
	Warnings problem.List `json:"warnings"`
}

// print shows what was found; the error ends the program with status 1 where there is a problem.
func (c checked) print(out, errs io.Writer, asJSON bool) error {
	c.OK = len(c.Problems) == 0
	if c.Warnings == nil {
		c.Warnings = problem.List{}
	}
	switch {
	case asJSON:
		if err := writeJSON(out, c); err != nil {
			return err
		}
	case c.OK:
		fmt.Fprintf(out, "%s: ok, %d channels, %d bots\n", c.File, c.Channels, c.Bots)
	default:
		fmt.Fprintln(errs, c.Problems)
	}
	if !asJSON {
		for _, warning := range c.Warnings {
			fmt.Fprintf(errs, "warning: %s\n", warning)
		}
	}
	if !c.OK {
		return quietError{1}
	}
	return nil
}

// listOf are the problems that an error tells: those that it lists, or itself.
func listOf(err error) problem.List {
	var list problem.List
	switch {
	case err == nil:
		return problem.List{}
	case errors.As(err, &list):
		return list
	}
	return problem.List{{Message: err.Error()}}
}

// writeJSON prints a value for machines. Empty lists are lists.
func writeJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
