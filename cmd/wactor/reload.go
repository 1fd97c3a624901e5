package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"github.com/wactor/wactor/node"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// reloadOnHangup reloads with each SIGHUP until ctx ends. What is wrong is in the log.
func reloadOnHangup(ctx context.Context, n *node.Node, logger *slog.Logger) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-hangups:
			if _, err := n.Reload(false); err != nil {
				logger.Error("the configuration was not reloaded; nothing has changed", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

func reloadCommand() *cobra.Command {
	var admin adminFlags
	var check, asJSON bool
	command := &cobra.Command{
		Use:   "reload",
		Short: "Have a node read its configuration again",
		Long: `Have a running node read its configuration and its flows again, and take up what needs no restart: channels, bots, flows,
secrets, admin tokens, limits, stale_after and log.level. It takes up all of it, or nothing where there is a mistake. What needs a
restart is named. Turns and replies under way are finished as they were begun, and webhooks are taken all the while.

Environment variables are those that the node was started with: keep what changes in files (${file:...}).

SIGHUP does the same, and reports in the log. In a cluster: wactor cluster reload.

Exit status: 0, 1 where nothing was changed.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			response, err := admin.client().Reload(command.Context(),
				connect.NewRequest(&wactorv1.ReloadRequest{Check: check}))
			if err != nil {
				return admin.explain(err)
			}
			if asJSON {
				return printJSON(command.OutOrStdout(), response.Msg)
			}
			printReload(command.OutOrStdout(), response.Msg, check)
			return nil
		},
	}
	admin.add(command)
	addReloadFlags(command, &check, &asJSON)
	return command
}

func clusterReloadCommand() *cobra.Command {
	var admin adminFlags
	var check, asJSON bool
	command := &cobra.Command{
		Use:   "reload",
		Short: "Have all nodes read their configurations again, one after the other",
		Long: `Have all nodes of the cluster check their configurations and flows, and where all of them are right and alike, take them up one
after the other, as wactor reload does. Put the new files on all machines first.

Exit status: 0, 1 where a node failed, does not answer, or has another configuration than the others; where that is seen by the
check, which comes first, no node has changed.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			response, err := admin.client().ReloadCluster(command.Context(),
				connect.NewRequest(&wactorv1.ReloadClusterRequest{Check: check}))
			if err != nil {
				return admin.explain(err)
			}
			if asJSON {
				err = printJSON(command.OutOrStdout(), response.Msg)
			} else {
				printClusterReload(command.OutOrStdout(), response.Msg)
			}
			if err == nil && !response.Msg.Agree {
				return quietError{1}
			}
			return err
		},
	}
	admin.add(command)
	addReloadFlags(command, &check, &asJSON)
	return command
}

func addReloadFlags(command *cobra.Command, check, asJSON *bool) {
	command.Flags().BoolVar(check, "check", false, "only say what would change")
	command.Flags().BoolVar(asJSON, "json", false, "print JSON")
}

// printReload says what a node has changed, or would.
func printReload(out io.Writer, r *wactorv1.ReloadResponse, check bool) {
	verb := "changed"
	if check {
		verb = "would change"
	}
	switch {
	case len(r.Changed) > 0:
		fmt.Fprintf(out, "%s: %s: %s\n", r.Node, verb, strings.Join(r.Changed, ", "))
	default:
		fmt.Fprintf(out, "%s: nothing %s\n", r.Node, verb)
	}
	if len(r.Restart) > 0 {
		fmt.Fprintf(out, "%s: needs a restart: %s\n", r.Node, strings.Join(r.Restart, ", "))
	}
}

func printClusterReload(out io.Writer, r *wactorv1.ReloadClusterResponse) {
	digests := map[string]bool{}
	for _, one := range r.Nodes {
		switch {
		case one.Skipped:
			fmt.Fprintf(out, "%s: not asked, since another node failed\n", one.Node)
		case one.Error != "":
			fmt.Fprintf(out, "%s: failed: %s\n", one.Node, one.Error)
		default:
			digests[one.Response.Digest] = true
			printReload(out, one.Response, r.Checked)
		}
	}
	switch {
	case len(digests) > 1:
		fmt.Fprintln(out, "the nodes do not have the same configuration")
	case r.Agree && !r.Checked:
		fmt.Fprintf(out, "%d nodes serve alike\n", len(r.Nodes))
	}
	if !r.Agree && r.Checked {
		fmt.Fprintln(out, "no node has changed")
	}
}
