package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/wactor/wactor/simulate"
)

func simulateCommand() *cobra.Command {
	o := simulate.Options{}
	var pattern string
	var asJSON bool
	var duration time.Duration
	var latency time.Duration
	var broken, errors5xx, limited float64
	command := &cobra.Command{
		Use:   "simulate",
		Short: "Play many users against a bot and report lost, doubled, raced and out-of-order replies",
		Long: `Play many WhatsApp users against any webhook: Wactor's, or that of the bot you run today. A fake Graph API behind the bot takes
its replies.

The bot under test must be a counter: it answers the user's n-th message <text> with "step <n>: <text>" and sends replies to the
fake Graph API instead of graph.facebook.com (--graph). Wactor's is examples/counter. The defaults fit its wactor.yaml.

  lost           answered 200, and no reply ever came
  doubled        two different replies to one message: it ran twice
  raced          two replies of one step: a state was read twice
  out of order   a reply of an earlier step, or to an earlier message, came later
  resent         the same reply again, by its biz_opaque_callback_data

Exit status: 0, 1 on any violation, 2 where the run is not possible.`,
		Example: `  wactor simulate --url http://127.0.0.1:8080/webhooks/shop --users 2000 --messages 4 --pattern pairs --duplicates 20 --swaps 10
  wactor simulate --rate 500 --duration 30s --users 1000 --json
  wactor simulate --url https://bot.example/webhook --app-secret $APP_SECRET --phone-number-id 123 --graph 0.0.0.0:9090`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			o.Pattern = simulate.Pattern(pattern)
			o.Faults.MinLatency, o.Faults.MaxLatency = latency/2, latency*3/2
			o.Faults.BrokenAfter, o.Faults.ServerErrors, o.Faults.RateLimited = broken/100, errors5xx/100, limited/100
			o.Faults.Seed = o.Seed
			if duration > 0 {
				if o.Rate == 0 {
					return errors.New("--duration needs --rate")
				}
				o.Messages = max(1, int(o.Rate*duration.Seconds())/max(1, o.Users))
			}
			if terminal(os.Stderr) {
				o.Progress = os.Stderr
			}
			report, err := simulate.Run(command.Context(), o)
			if err != nil {
				fmt.Fprintln(command.ErrOrStderr(), "wactor:", err)
				return quietError{2}
			}
			if asJSON {
				encoder := json.NewEncoder(command.OutOrStdout())
				encoder.SetIndent("", "  ")
				if err := encoder.Encode(report); err != nil {
					return err
				}
			} else {
				report.Write(command.OutOrStdout())
			}
			if report.Violations > 0 {
				return quietError{1}
			}
			return nil
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.URL, "url", "http://127.0.0.1:8080/webhooks/shop", "the bot's webhook")
	flags.IntVar(&o.Users, "users", 100, "number of users")
	flags.IntVar(&o.Messages, "messages", 4, "messages of each user")
	flags.StringVar(&pattern, "pattern", "pairs", "burst: all messages of a user at once; pairs: two at once; steady: one after the other; batches: ten users in a webhook")
	flags.IntVar(&o.Duplicates, "duplicates", 0, "percent of webhooks that are posted twice, at once or later")
	flags.IntVar(&o.Swaps, "swaps", 0, "percent of neighbouring messages that are posted in the other order than they were sent")
	flags.Float64Var(&o.Rate, "rate", 0, "messages a second, sent at their times however slow the bot is; 0: as fast as the bot answers")
	flags.DurationVar(&duration, "duration", 0, "with --rate: how long; sets --messages")
	flags.IntVar(&o.Concurrency, "concurrency", 64, "users that write at once without --rate, and webhooks under way at most")
	flags.StringVar(&o.Graph, "graph", "127.0.0.1:9090", "address on which the fake Graph API listens")
	flags.DurationVar(&latency, "graph-latency", 0, "mean time until the Graph API answers, from half to one and a half of it")
	flags.Float64Var(&errors5xx, "graph-errors", 0, "percent of replies that the Graph API answers 500")
	flags.Float64Var(&limited, "graph-limited", 0, "percent of replies that it answers 429")
	flags.Float64Var(&broken, "graph-broken", 0, "percent of replies that it takes and then breaks the connection")
	flags.StringSliceVar(&o.Statuses, "statuses", []string{"delivered"}, "statuses that are posted for each reply: sent, delivered, read; empty: none")
	flags.BoolVar(&o.AllowResent, "allow-resent", false, "the same reply twice is no violation: for a bot that is killed meanwhile")
	flags.DurationVar(&o.GiveUp, "give-up", time.Minute, "how long a webhook that was not answered 200 is sent again")
	flags.DurationVar(&o.Settle, "settle", 20*time.Second, "how long replies are awaited after the last one came")
	flags.StringVar(&o.PhoneNumberID, "phone-number-id", "100000000000001", "phone number id of the channel")
	flags.StringVar(&o.AppSecret, "app-secret", "simulate-app-secret", "app secret of the channel, which signs the webhooks")
	flags.StringVar(&o.AccessToken, "access-token", "", "token that the bot must show to the Graph API; empty: any")
	flags.Int64Var(&o.FirstUser, "first-user", 4915100000001, "phone number of the first user; the others follow")
	flags.Uint64Var(&o.Seed, "seed", 1, "seed of everything that is drawn")
	flags.BoolVar(&asJSON, "json", false, "print the report as JSON")
	return command
}

// terminal reports whether a file is one.
func terminal(f *os.File) bool {
	stat, err := f.Stat()
	return err == nil && stat.Mode()&os.ModeCharDevice != 0
}
