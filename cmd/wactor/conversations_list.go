package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"connectrpc.com/connect"

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
