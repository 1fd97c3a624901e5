package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
)

func conversationsCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "conversations",
		Short: "Take conversations over, write to users, and look after dead letters",
		Long: `Operate conversations. USER is what webhooks name: phone digits or a BSUID; "?" holds webhooks
that can't be read.

A person may take a conversation from the bot (pause), write to the user (send), and give it back
(resume). Meanwhile the bot is quiet, and messages are held for it.

A dead letter is what could not be processed: messages whose bot call was given up, a reply that the
provider rejected for good, a webhook that can't be read. It waits until an operator retries or
skips it.`,
	}
	return group(command, append(operationCommands("conversations"), deadLettersCommand(), listCommand())...)
}

func deadLettersCommand() *cobra.Command {
	var admin adminFlags
	var channel string
	var asJSON bool
	command := &cobra.Command{
		Use:   "dead-letters [USER]",
		Short: "Show what could not be processed, or who has any of that",
		Long: `Show what could not be processed in a user's conversations. Without USER: the conversations that have dead letters, with the reason of the
first one. All conversations are looked at for that, which takes some seconds for a million.`,
		Aliases: []string{"dead"},
		Args:    cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			out, printed := command.OutOrStdout(), false
			if len(args) == 0 {
				err := listDeadLetters(command.Context(), admin.client(), channel, asJSON, out, command.ErrOrStderr())
				return admin.explain(err)
			}
			all := &wactorv1.DeadLettersResponse{}
			err := eachPage(command.Context(), admin.client(), &wactorv1.DeadLettersRequest{User: args[0],
				Channel: channel},
				func(page *wactorv1.ConversationDeadLetters, first bool) {
					switch {
					case asJSON && !first:
						last := all.Conversations[len(all.Conversations)-1]
						last.Letters, last.More = append(last.Letters, page.Letters...), page.More
					case asJSON:
						all.Conversations = append(all.Conversations, page)
					default:
						printDeadLetters(out, page, first)
						printed = true
					}
				})
			switch {
			case err != nil:
				return admin.explain(err)
			case asJSON:
				return printJSON(out, all)
			case !printed:
				fmt.Fprintln(command.ErrOrStderr(), "no dead letters")
			}
			return nil
		},
	}
	admin.add(command)
	command.Flags().StringVar(&channel, "channel", "", "only this channel")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

// eachPage asks for the dead letters of each conversation, page by page.
func eachPage(
	ctx context.Context, client wactorv1connect.AdminServiceClient, request *wactorv1.DeadLettersRequest,
	each func(c *wactorv1.ConversationDeadLetters, first bool),
) error {
	response, err := client.DeadLetters(ctx, connect.NewRequest(request))
	if err != nil {
		return err
	}
	for _, c := range response.Msg.Conversations {
		each(c, request.After == 0)
		if c.More && len(c.Letters) > 0 {
			next := &wactorv1.DeadLettersRequest{User: request.User, Channel: c.Channel,
				After: c.Letters[len(c.Letters)-1].Seq}
			if err := eachPage(ctx, client, next, each); err != nil {
				return err
			}
		}
	}
	return nil
}

func printDeadLetters(out io.Writer, c *wactorv1.ConversationDeadLetters, first bool) {
	if first {
		fmt.Fprintln(out, c.Channel)
	}
	for _, letter := range c.Letters {
		fmt.Fprintf(out, "  %d  %s  %s\n", letter.Seq, time.UnixMilli(letter.AtMs).Format("2006-01-02 15:04:05"),
			oneLine(letter.Reason))
		for _, m := range letter.Messages {
			fmt.Fprintf(out, "       message %s: %s\n", m.Type, oneLine(m.Text))
		}
		if reply := letter.Reply.GetReply(); reply != nil {
			text, err := protojson.Marshal(reply)
			if err == nil {
				fmt.Fprintf(out, "       reply %s\n", oneLine(string(text)))
			}
		}
		if letter.Timer != nil {
			fmt.Fprintf(out, "       timer %s\n", oneLine(letter.Timer.Name))
		}
	}
}

// oneLine shows a text of a stranger in a terminal: without control characters, and not at any
// length.
func oneLine(text string) string {
	const most = 200
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
