package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
)

// listDeadLetters names the conversations that have dead letters: a line each, or as JSON.
func listDeadLetters(ctx context.Context, client wactorv1connect.AdminServiceClient, channel string, asJSON bool, out,
	errs io.Writer) error {
	all, found := &wactorv1.ListDeadLettersResponse{}, 0
	for request := (&wactorv1.ListDeadLettersRequest{Channel: channel}); ; {
		response, err := client.ListDeadLetters(ctx, connect.NewRequest(request))
		if err != nil {
			return err
		}
		for _, c := range response.Msg.Conversations {
			if found++; asJSON {
				all.Conversations = append(all.Conversations, c)
			} else {
				printSummary(out, c)
			}
		}
		if request.PageToken = response.Msg.NextPageToken; request.PageToken == "" {
			break
		}
	}
	switch {
	case asJSON:
		return printJSON(out, all)
	case found == 0:
		fmt.Fprintln(errs, "no dead letters")
	}
	return nil
}

func printSummary(out io.Writer, c *wactorv1.DeadLettersSummary) {
	fmt.Fprintf(out, "%s  %s  %d since %s  %s\n", c.Channel, oneLine(c.User), c.Letters,
		time.UnixMilli(c.FirstMs).Format("2006-01-02 15:04:05"), oneLine(c.Reason))
}

func listCommand() *cobra.Command {
	var admin adminFlags
	var channel string
	var paused, asJSON bool
	command := &cobra.Command{
		Use:   "list --paused",
		Short: "Show the conversations that a person owns, and since when",
		Long: `Show the conversations that the bot does not own: who has them, since when and why, and when the bot
gets them back by itself.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if !paused {
				return errors.New("add --paused: other lists are not known")
			}
			err := listPaused(command.Context(), admin.client(), channel, asJSON, command.OutOrStdout(),
				command.ErrOrStderr())
			return admin.explain(err)
		},
	}
	admin.add(command)
	command.Flags().BoolVar(&paused, "paused", false, "those that the bot does not own")
	command.Flags().StringVar(&channel, "channel", "", "only this channel")
	addJSONFlag(command, &asJSON)
	return command
}

// listPaused names the conversations that the bot does not own: a line each, or as JSON.
func listPaused(ctx context.Context, client wactorv1connect.AdminServiceClient, channel string, asJSON bool, out,
	errs io.Writer) error {
	all := &wactorv1.ListPausedResponse{}
	for request := (&wactorv1.ListPausedRequest{Channel: channel}); ; {
		response, err := client.ListPaused(ctx, connect.NewRequest(request))
		if err != nil {
			return err
		}
		all.Conversations = append(all.Conversations, response.Msg.Conversations...)
		if request.PageToken = response.Msg.NextPageToken; request.PageToken == "" {
			break
		}
	}
	if asJSON {
		return printJSON(out, all)
	}
	for _, c := range all.Conversations {
		printPaused(out, c, time.Now())
	}
	if len(all.Conversations) == 0 {
		fmt.Fprintln(errs, "the bots own all conversations")
	}
	return nil
}

func printPaused(out io.Writer, c *wactorv1.PausedConversation, now time.Time) {
	owner := c.Ownership
	since := time.UnixMilli(owner.GetSinceMs())
	fmt.Fprintf(out, "%s  %s  %s by %s since %s (%s)", c.Channel, oneLine(c.User),
		conversation.OwnerName(owner.GetOwner()), oneLine(owner.GetBy()), since.Format("2006-01-02 15:04:05"),
		now.Sub(since).Round(time.Second))
	if owner.GetUntilMs() > 0 {
		fmt.Fprintf(out, " until %s", time.UnixMilli(owner.UntilMs).Format("2006-01-02 15:04:05"))
	}
	if owner.GetReason() != "" {
		fmt.Fprintf(out, ": %s", oneLine(owner.Reason))
	}
	fmt.Fprintln(out)
}
