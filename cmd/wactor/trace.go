package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

func traceCommand() *cobra.Command {
	var admin adminFlags
	var channel string
	var asJSON bool
	command := &cobra.Command{
		Use:   "trace USER",
		Short: "Show what happened to a user's messages, millisecond by millisecond, and a verdict",
		Long: `Show the timeline of a user's conversations: which node took each webhook, duplicates, turns with their versions and the
bot's time, replies with their statuses; and a verdict on the version chain. USER is what webhooks name: phone digits or a BSUID.

Exit status: 0, 1 on an error, 2 where the verdict finds a violation, 3 where the user is unknown.`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			response, err := admin.client().Trace(command.Context(),
				connect.NewRequest(&wactorv1.TraceRequest{User: args[0], Channel: channel}))
			if err != nil {
				return admin.explain(err)
			}
			out := command.OutOrStdout()
			if asJSON {
				if err := printJSON(out, response.Msg); err != nil {
					return err
				}
			}
			violations := 0
			for _, c := range response.Msg.Conversations {
				violations += len(c.Violations)
				if !asJSON {
					printTrace(out, c)
				}
			}
			switch {
			case len(response.Msg.Conversations) == 0:
				fmt.Fprintln(command.ErrOrStderr(), "no conversation with this user is known here; USER is what the "+
					"webhooks name: phone digits or a BSUID")
				return quietError{3}
			case violations > 0:
				return quietError{2}
			}
			return nil
		},
	}
	admin.add(command)
	command.Flags().StringVar(&channel, "channel", "", "only this channel")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

// printTrace prints one conversation's timeline.
func printTrace(out io.Writer, c *wactorv1.ConversationTrace) {
	fmt.Fprintf(out, "%s  shard %d, version %d, revision %d, %d waiting, %d to send, %d dead letters\n",
		c.Channel, c.Shard, c.Version, c.Revision, c.Inbox, c.Outbox, c.DeadLetters)
	if c.Trimmed {
		fmt.Fprintln(out, "  (older entries are no longer kept)")
	}
	var before int64
	for _, e := range c.Entries {
		gap := ""
		if before != 0 {
			gap = fmt.Sprintf("+%d ms", e.AtMs-before)
		}
		before = e.AtMs
		fmt.Fprintf(out, "  %s %10s  %-11s %s\n", time.UnixMilli(e.AtMs).Format("2006-01-02 15:04:05.000"), gap,
			kindName(e.Kind), describe(e))
	}
	if len(c.Violations) == 0 {
		fmt.Fprintf(out, "  verdict: in order. %s\n\n", chain(c))
		return
	}
	fmt.Fprintln(out, "  verdict: BROKEN")
	for _, violation := range c.Violations {
		fmt.Fprintln(out, "    -", oneLine(violation))
	}
	fmt.Fprintln(out)
}

func chain(c *wactorv1.ConversationTrace) string {
	turns, first := 0, uint64(0)
	for _, e := range c.Entries {
		if e.Kind == wactorv1.JournalKind_JOURNAL_KIND_TURN {
			if turns++; first == 0 {
				first = e.VersionAfter
			}
		}
	}
	if turns == 0 {
		return "No turn is kept in the journal."
	}
	return fmt.Sprintf("Versions %d to %d without a gap, no turn overlaps another, no message in two turns.", first,
		c.Version)
}

func kindName(kind wactorv1.JournalKind) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(kind.String(), "JOURNAL_KIND_")), "_", " ")
}

// describe tells an entry in words. What strangers chose, such as a message's id, must not move a
// terminal's cursor.
func describe(e *wactorv1.JournalEntry) string {
	var words []string
	say := func(when bool, format string, args ...any) {
		if when {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	say(e.Kind == wactorv1.JournalKind_JOURNAL_KIND_TURN, "%d -> %d", e.VersionBefore, e.VersionAfter)
	say(e.MessageSeq > 0, "message %d", e.MessageSeq)
	say(len(e.MessageSeqs) > 0, "over message %s", strings.Trim(fmt.Sprint(e.MessageSeqs), "[]"))
	say(e.Timer != "", "timer %s", oneLine(e.Timer))
	say(e.MessageId != "", "%s", oneLine(e.MessageId))
	say(e.SentMs > 0 && e.ReceivedMs > 0, "sent %s before", time.Duration(e.AtMs-e.SentMs)*time.Millisecond)
	say(e.Late, "late")
	say(e.ReplySeq > 0, "reply %d", e.ReplySeq)
	say(e.Doubt != "", "the doubt ended: %s", oneLine(e.Doubt))
	say(e.Status != "", "%s", oneLine(e.Status))
	say(e.ProviderId != "", "%s", oneLine(e.ProviderId))
	say(e.BotUs > 0, "bot %s", time.Duration(e.BotUs)*time.Microsecond)
	say(e.Attempt > 1, "attempt %d", e.Attempt)
	say(e.Replies > 0, "%d replies", e.Replies)
	say(e.Reason != "", "(%s)", oneLine(e.Reason))
	say(e.By != "", "by %s", oneLine(e.By))
	say(e.Node != "", "on %s", oneLine(e.Node))
	return strings.Join(words, ", ")
}
