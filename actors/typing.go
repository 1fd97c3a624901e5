package actors

import (
	"context"
	"time"

	"github.com/wactor/wactor/conversation"
)

const (
	// typingAfter is how long a bot must have thought before its user is shown that it does: a bot
	// that answers at once, or that is left alone since it is down, costs no request.
	typingAfter = 300 * time.Millisecond
	// typingAgain renews the sign, which the provider takes down after 25 s (Meta, "Typing
	// indicators").
	typingAgain = 20 * time.Second
)

// showTyping shows the user that the bot thinks, until ctx ends.
func (t *tasks) showTyping(ctx context.Context, turn *conversation.Turn) {
	service := t.channel.now()
	typer, ok := service.Sender.(Typer)
	newest := turn.Answers()
	if !service.Typing || !ok || newest == "" {
		return
	}
	t.runtime.goCounted(func() {
		for wait := typingAfter; t.runtime.scheduler.Sleep(ctx, wait); wait = typingAgain {
			_ = typer.MarkRead(ctx, newest)
		}
	})
}
