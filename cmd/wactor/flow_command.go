package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/wactor/wactor/flow"
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
	return &cobra.Command{
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
	}
}

func loadFlow(file string) (*flow.Flow, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return flow.Parse(file, source)
}
