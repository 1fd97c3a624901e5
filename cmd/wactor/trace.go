package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"github.com/wactor/wactor/internal/pseudonym"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
)

func traceCommand() *cobra.Command {
	var t tracer
	command := &cobra.Command{
		Use:   "trace USER",
		Short: "Show what happened to a user's messages, what waits, and a verdict",
		Long: `Show the timeline of a user's conversations: which node took each webhook, duplicates, turns with
their versions and the bot's time, replies with their statuses; and a verdict: in order, waiting, or
broken. Where something waits, the verdict names it, since when, and for what.

USER is a phone number, as webhooks name it or as people write it (+49 151 000-00001), a BSUID, the
id of one of the user's messages (wamid...), or the conversation's name in logs (16 hexadecimal
digits). The last two look at all conversations, which takes some seconds for a million.

Exit status: 0, 1 on an error, 2 where the verdict finds a violation, 3 where something waits, 4
where the user is unknown.`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			t.out, t.errs = command.OutOrStdout(), command.ErrOrStderr()
			return t.admin.explain(t.run(command.Context(), args[0]))
		},
	}
	t.admin.add(command)
	command.Flags().StringVar(&t.channel, "channel", "", "only this channel")
	addJSONFlag(command, &t.asJSON)
	return command
}

// tracer is one run of the command trace.
type tracer struct {
	admin     adminFlags
	channel   string
	asJSON    bool
	out, errs io.Writer
}

// The exit statuses of trace.
const (
	exitViolation = 2
	exitWaiting   = 3
	exitUnknown   = 4
)

func (t *tracer) run(ctx context.Context, user string) error {
	client := t.admin.client()
	found, err := t.find(ctx, client, user)
	if err != nil {
		return err
	}
	response := &wactorv1.TraceResponse{}
	for _, name := range found {
		one, err := client.Trace(ctx, connect.NewRequest(&wactorv1.TraceRequest{User: name.User,
			Channel: name.Channel}))
		if err != nil {
			return err
		}
		response.Conversations = append(response.Conversations, one.Msg.Conversations...)
		response.Others = append(response.Others, one.Msg.Others...)
	}
	return t.print(response)
}

// find names the conversations that are meant.
func (t *tracer) find(ctx context.Context, client wactorv1connect.AdminServiceClient,
	user string) ([]*wactorv1.ConversationName, error) {
	request := &wactorv1.FindRequest{Channel: t.channel}
	switch {
	case strings.HasPrefix(user, "wamid."):
		request.MessageId = user
	case pseudonym.Is(user):
		request.LogName = user
	default:
		return []*wactorv1.ConversationName{{Channel: t.channel, User: user}}, nil
	}
	for {
		page, err := client.Find(ctx, connect.NewRequest(request))
		if err != nil {
			return nil, err
		}
		request.PageToken = page.Msg.NextPageToken
		if len(page.Msg.Conversations) > 0 || request.PageToken == "" {
			return page.Msg.Conversations, nil
		}
	}
}

// print shows a trace; the error ends the program with the status of its verdict.
func (t *tracer) print(response *wactorv1.TraceResponse) error {
	if t.asJSON {
		if err := printJSON(t.out, response); err != nil {
			return err
		}
	}
	worst := 0
	for _, c := range response.Conversations {
		if !t.asJSON {
			printTrace(t.out, c)
		}
		switch {
		case len(c.Violations) > 0:
			worst = exitViolation
		case len(c.Waiting) > 0 && worst == 0:
			worst = exitWaiting
		}
	}
	if len(response.Conversations) == 0 {
		fmt.Fprintln(t.errs, "no conversation with this user is known here")
		for _, other := range response.Others {
			fmt.Fprintf(t.errs, "there is one with another spelling of the number: wactor trace %s --channel %s\n",
				oneLine(other.User), other.Channel)
		}
		worst = exitUnknown
	}
	if worst > 0 {
		return quietError{worst}
	}
	return nil
}

// printTrace prints one conversation's timeline.
func printTrace(out io.Writer, c *wactorv1.ConversationTrace) {
	fmt.Fprintf(out, "%s  shard %d, version %d, revision %d, %d waiting, %d to send, %d dead letters, in logs %s\n",
		c.Channel, c.Shard, c.Version, c.Revision, c.Inbox, c.Outbox, c.DeadLetters, c.LogName)
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
	printVerdict(out, c, time.Now())
	fmt.Fprintln(out)
}

// printVerdict answers why a user has no answer.
func printVerdict(out io.Writer, c *wactorv1.ConversationTrace, now time.Time) {
	if len(c.Violations) > 0 {
		fmt.Fprintln(out, "  verdict: BROKEN")
		for _, violation := range c.Violations {
			fmt.Fprintln(out, "    -", oneLine(violation))
		}
	}
	switch {
	case len(c.Waiting) > 0:
		fmt.Fprintln(out, "  verdict: waiting")
		for _, w := range c.Waiting {
			fmt.Fprintln(out, "    -", sentence(w, now))
		}
	case len(c.Violations) == 0:
		fmt.Fprintf(out, "  verdict: in order. %s\n", chain(c))
	}
}

// sentences say what waits for what.
var sentences = map[wactorv1.WaitsFor]struct{ one, many string }{
	wactorv1.WaitsFor_WAITS_FOR_BOT: {"1 message waits for the bot's answer",
		"%d messages wait for the bot's answer"},
	wactorv1.WaitsFor_WAITS_FOR_RETRY: {"1 turn waits to be tried again",
		"%d messages wait for a turn to be tried again"},
	wactorv1.WaitsFor_WAITS_FOR_PROVIDER: {"1 reply waits for the provider", "%d replies wait for the provider"},
	wactorv1.WaitsFor_WAITS_FOR_CHANNEL:  {"1 reply waits for its channel", "%d replies wait for their channel"},
	wactorv1.WaitsFor_WAITS_FOR_STATUS:   {"1 reply waits for a status", "%d replies wait, the first one for a status"},
	wactorv1.WaitsFor_WAITS_FOR_OPERATOR: {"1 dead letter waits for an operator",
		"%d dead letters wait for an operator"},
	wactorv1.WaitsFor_WAITS_FOR_PERSON: {"a person owns the conversation, 1 message is held",
		"a person owns the conversation, %d messages are held"},
}

func sentence(w *wactorv1.Waiting, now time.Time) string {
	form, known := sentences[w.For]
	text := form.one
	switch {
	case !known:
		text = "something waits that this version does not know"
	case w.Count != 1 && strings.Contains(form.many, "%d"):
		text = fmt.Sprintf(form.many, w.Count)
	}
	since := time.UnixMilli(w.SinceMs)
	text += fmt.Sprintf(" since %s (%s)", since.Format("2006-01-02 15:04:05"), now.Sub(since).Round(time.Second))
	if w.Reason != "" {
		text += ": " + oneLine(w.Reason)
	}
	if w.AgainMs > 0 && w.For == wactorv1.WaitsFor_WAITS_FOR_PERSON {
		return text + "; the bot gets it back at " + time.UnixMilli(w.AgainMs).Format("2006-01-02 15:04:05")
	}
	if w.AgainMs > 0 {
		text += "; next attempt at " + time.UnixMilli(w.AgainMs).Format("15:04:05")
	}
	return text
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
	say(e.Count > 1, "%d times", e.Count)
	say(e.MessageSeq > 0, "message %d", e.MessageSeq)
	say(len(e.MessageSeqs) > 0, "over message %s", strings.Trim(fmt.Sprint(e.MessageSeqs), "[]"))
	say(e.Timer != "", "timer %s", oneLine(e.Timer))
	say(e.MessageId != "", "%s", oneLine(e.MessageId))
	say(e.SentMs > 0 && e.ReceivedMs > 0, "sent %s before", time.Duration(e.AtMs-e.SentMs)*time.Millisecond)
	say(e.Late, "late")
	say(e.ReplySeq > 0, "reply %d", e.ReplySeq)
	say(e.Doubt != "", "resolved: %s", oneLine(e.Doubt))
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
