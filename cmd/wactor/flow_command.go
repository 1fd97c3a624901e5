package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/wactor/wactor/flow"
	"github.com/wactor/wactor/internal/problem"
)

func flowCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "flow",
		Short: "Work on flows: check, chat, graph, test",
		Long: `Work on flows, bots that are written as one YAML file.

  wactor flow check flow.yaml     every mistake, with file, line and column
  wactor flow chat flow.yaml      talk to it here
  wactor flow graph flow.yaml     draw it
  wactor flow test                play the transcripts kept beside flows`,
	}
	return group(command, flowCheckCommand(), flowChatCommand(), flowGraphCommand(), flowTestCommand())
}

func flowCheckCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check flows",
		Long: `Check flows and print every mistake with file, line and column, and what to do: unknown keys,
missing and unreachable steps, loops without input, expressions that do not compile, and what
WhatsApp would reject. Exit status 1 where there is one.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, files []string) error {
			out, failed := command.OutOrStdout(), false
			all := make([]flowChecked, len(files))
			for i, file := range files {
				_, err := loadFlow(file)
				all[i] = flowChecked{File: file, OK: err == nil, Problems: listOf(err)}
				failed = failed || err != nil
				switch {
				case asJSON:
				case err != nil:
					_ = report(err, command.ErrOrStderr())
				default:
					fmt.Fprintf(out, "%s: ok\n", file)
				}
			}
			if asJSON {
				if err := writeJSON(out, all); err != nil {
					return err
				}
			}
			if failed {
				return quietError{1}
			}
			return nil
		},
	}
	addJSONFlag(command, &asJSON)
	return command
}

// flowChecked is what a check found in a flow.
type flowChecked struct {
	File     string       `json:"file"`
	OK       bool         `json:"ok"`
	Problems problem.List `json:"problems"`
}

func loadFlow(file string) (*flow.Flow, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return flow.Parse(file, source)
}
