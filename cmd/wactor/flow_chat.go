package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wactor/wactor/bot"
	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/flow/transcript"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

func flowChatCommand() *cobra.Command {
	var name string
	command := &cobra.Command{
		Use:   "chat FILE",
		Short: "Talk to a flow in the terminal",
		Long: `Talk to a flow in the terminal. Nothing is stored and nothing is sent to WhatsApp; services that the flow calls are really called.

Choose an option by its title or number, or write one of:

  [tap Croissant]                tap a button or a row, also an old one
  [image a caption]              or video, audio, document, sticker
  [location 52.5 13.4]           a location
  [reaction]                     any other type of message
  /state  /reset  /quit          show the state, start anew, leave

The file is read again before every message: edit the flow while you talk to it.`,
		Example: "  wactor flow chat examples/orders/flow.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			c := &chat{file: args[0], user: &wactorv1.User{Id: "15550001111", WaId: "15550001111", Name: name},
				out: command.OutOrStdout()}
			return c.run(command.Context(), command.InOrStdin())
		},
	}
	command.Flags().StringVar(&name, "name", "Ana", "the user's name")
	return command
}

// chat is a talk of one user with a flow.
type chat struct {
	file    string
	user    *wactorv1.User
	out     io.Writer
	phone   transcript.Phone
	state   json.RawMessage
	version uint64
}

func (c *chat) run(ctx context.Context, in io.Reader) error {
	if _, err := loadFlow(c.file); err != nil {
		return report(err, c.out)
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for ctx.Err() == nil {
		fmt.Fprint(c.out, "> ")
		if !lines.Scan() {
			fmt.Fprintln(c.out)
			return lines.Err()
		}
		switch line := strings.TrimSpace(lines.Text()); line {
		case "":
		case "/quit", "/exit":
			return nil
		case "/reset":
			c.state = nil
		case "/state":
			fmt.Fprintf(c.out, "~ %s\n", c.state)
		default:
			c.say(ctx, line)
		}
	}
	return nil
}

// say plays one turn; what goes wrong is shown, and the talk goes on.
func (c *chat) say(ctx context.Context, line string) {
	f, err := loadFlow(c.file)
	if err != nil {
		_ = report(err, c.out)
		return
	}
	message, err := c.phone.Message(line)
	if err != nil {
		c.print("! ", err.Error())
		return
	}
	b := bot.NewFlow(f, bot.DefaultBudget)
	defer func() { _ = b.Close() }()
	now := time.Now()
	message.SentMs = now.UnixMilli()
	answer, err := b.Turn(ctx, &conversation.Turn{
		ID: fmt.Sprintf("chat-%d", now.UnixNano()), Attempt: 1, Version: c.version, User: c.user, State: c.state,
		Messages: []*wactorv1.Message{message}, Now: now,
	})
	if err != nil {
		var failed *conversation.BotError
		if errors.As(err, &failed) {
			c.print("! ", "the turn failed: "+failed.Reason)
			return
		}
		c.print("! ", err.Error())
		return
	}
	c.commit(answer)
}

func (c *chat) commit(answer *conversation.Answer) {
	c.version++
	for _, reply := range answer.Replies {
		c.phone.Show(reply)
		c.print("< ", transcript.Render(reply))
	}
	if answer.Note != "" {
		c.print("! ", answer.Note)
	}
	switch {
	case answer.End:
		c.state = nil
		c.print("! ", "end")
	case answer.State != nil:
		c.state = answer.State
	}
}

func (c *chat) print(mark, text string) {
	fmt.Fprintln(c.out, mark+strings.ReplaceAll(text, "\n", "\n| "))
}
