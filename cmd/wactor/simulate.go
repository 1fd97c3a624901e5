package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wactor/wactor/simulate"
)

const simulateLong = `Play many WhatsApp users against any webhook: Wactor's, or that of the bot you run today. A fake Graph API behind the bot takes
its replies. The report tells what the bot lost, doubled, raced or disordered, and how fast it was.

The bot under test must be a counter: it answers the user's n-th message <text> with "step <n>: <text>". Wactor's is
examples/counter, and the defaults fit its wactor.yaml. A bot that answers several messages at once (examples/slow-bot) counts
its answers: "step <n>: <text> | <text>". To test your own bot (Express, Flask, ...):

  1. Let it keep one number for each user where it keeps its sessions, count up, and answer "step <n>: <text>".
  2. Let it send to http://127.0.0.1:9090/v26.0/<phone number id>/messages (--graph) instead of graph.facebook.com.
  3. Give --url, and the app secret that it checks signatures with as --app-secret.
  4. Optional: a biz_opaque_callback_data in every reply, a different one each. Without it, a reply that your bot sends again
     can't be distinguished from a message that ran twice.

  lost           answered 200, and no reply ever came
  doubled        a second reply to one message: it ran twice
  raced          two messages answered with the same step: a session was read twice before it was written
  out of order   a reply of an earlier step, or to an earlier message, came later
  resent         the same reply again, by its biz_opaque_callback_data; no violation after a connection that --graph-broken broke

The report shows one violation of each kind: its user, messages, step and time, in milliseconds since the run began.

Webhooks that are not answered 200 are posted again, as WhatsApp does, so that you can kill and start the bot meanwhile; a bot
that was killed may send a reply again (--allow-resent). SIGINT (^C) ends the writing: the report is of what was written; a second one ends
the run without a report.

Exit status: 0; 1 on any violation; 2 where the run was not possible.`

func simulateCommand() *cobra.Command {
	f := simulateFlags{}
	command := &cobra.Command{
		Use:   "simulate",
		Short: "Play many users against a bot and report lost, doubled, raced and out-of-order replies",
		Long:  simulateLong,
		Example: `  # 2,000 users who write two messages at once, some webhooks twice, some in the wrong order
  wactor simulate --url http://127.0.0.1:8080/webhooks/shop --users 2000 --messages 4 --pattern pairs --duplicates 20 --swaps 10

  # 500 messages a second for half a minute, with latencies that do not forgive; for machines
  wactor simulate --rate 500 --duration 30s --users 1000 --pattern steady --json

  # your own bot; a Graph API that is slow and breaks 5 % of the connections after it took a reply
  wactor simulate --url http://127.0.0.1:3000/webhook --app-secret "$APP_SECRET" --graph-latency 200ms --graph-broken 5`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			defer keepHeadroom()() // what it collects it takes from the bot, and from the times that it measures
			report, err := f.run(command)
			if err != nil {
				fmt.Fprintln(command.ErrOrStderr(), "wactor:", err)
				return quietError{2}
			}
			if err := f.print(command.OutOrStdout(), report); err != nil {
				return err
			}
			if report.Violations > 0 {
				return quietError{1}
			}
			return nil
		},
	}
	f.load(command)
	f.faults(command)
	return command
}

// simulateFlags are what the command line says.
type simulateFlags struct {
	options                          simulate.Options
	pattern, names                   string
	latency                          time.Duration
	errors, limited, refused, broken float64
	asJSON                           bool
}

// load adds the flags about users, webhooks and the report.
func (f *simulateFlags) load(command *cobra.Command) {
	o, flags := &f.options, command.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.URL, "url", "http://127.0.0.1:8080/webhooks/shop", "the bot's webhook; several, separated by "+
		"commas, are servers of one bot, which get connections in turn")
	flags.StringVar(&o.PhoneNumberID, "phone-number-id", "100000000000001", "phone number id of the channel")
	flags.StringVar(&o.AppSecret, "app-secret", "simulate-app-secret",
		"app secret of the channel, which signs the webhooks")
	flags.IntVar(&o.Users, "users", 100, "number of users")
	flags.Int64Var(&o.FirstUser, "first-user", 4915100000001, "phone number of the first user; the others follow")
	flags.IntVar(&o.Messages, "messages", 4, "messages of each user")
	flags.DurationVar(&o.Duration, "duration", 0, "let users write for so long, instead of --messages (which is then "+
		"the size of a burst)")
	flags.StringVar(&f.pattern, "pattern", "pairs", `burst: all messages of a user at once
pairs: two at once, the next two when both have their replies
steady: each when the one before has its reply
batches: ten users' messages in one webhook
taps: five taps on one option at once, which count once (Wactor's debounce)`)
	flags.DurationVar(&o.Gap, "gap", 0, "mean time between two messages of a burst, from half to one and a half of "+
		"it; 0: at once")
	flags.IntVar(&o.Media, "media", 0, "percent of messages that are images with a caption")
	flags.StringVar(&f.names, "names", "both", `both: a phone and a BSUID with every message
mixed: after two messages also the phone alone, and the BSUID alone
hidden: the BSUID alone, as of users whose phone is withheld
changing: half-way another number and BSUID (the bot must not count the message that tells it)`)
	flags.IntVar(&o.Duplicates, "duplicates", 0, "percent of webhooks that are posted twice, at once or later")
	flags.IntVar(&o.Swaps, "swaps", 0, "percent of neighbouring messages that are posted in the other order than "+
		"they were sent; their timestamps tell")
	flags.IntVar(&o.Concurrency, "concurrency", 64, "users in flight at once, without --rate")
	flags.Float64Var(&o.Rate, "rate", 0, "messages a second that are due at their times however slow the bot is, and "+
		"latencies count from then; 0: as fast as the bot replies")
	flags.Float64Var(&o.Flood, "flood", 0, "messages a second of one more user, who floods in every other two "+
		"seconds; the report tells what the others notice of it (with --rate)")
	flags.DurationVar(&o.Wait, "wait", 0, "how long the server at --url is awaited before the users begin; 0: it must "+
		"run already")
	flags.DurationVar(&o.GiveUp, "give-up", time.Minute, "how long a webhook that was not answered 200 is posted "+
		"again; 0: never")
	flags.DurationVar(&o.Settle, "settle", 20*time.Second, "how long a reply is awaited: by a user before the next "+
		"message, and at the end, while some are missing, after the last that came")
	flags.BoolVar(&o.AllowResent, "allow-resent", false, "the same reply again (by its biz_opaque_callback_data) is "+
		"no violation: for a bot that is killed meanwhile")
	flags.Uint64Var(&o.Seed, "seed", 1, "seed of everything that is drawn")
	flags.BoolVar(&f.asJSON, "json", false, "print the report as JSON")
}

// faults adds the flags about the fake Graph API.
func (f *simulateFlags) faults(command *cobra.Command) {
	o, flags := &f.options, command.Flags()
	flags.StringVar(&o.Graph, "graph", "127.0.0.1:9090", "address on which the fake Graph API listens")
	flags.StringVar(&o.AccessToken, "access-token", "", "token that the bot must show to the Graph API; empty: any")
	flags.StringSliceVar(&o.Statuses, "statuses", []string{"delivered"},
		"statuses that are posted for each reply: sent, delivered, read; empty: none")
	flags.DurationVar(&f.latency, "graph-latency", 0, "mean time until the Graph API answers, from half to one and a "+
		"half of it")
	flags.Float64Var(&f.errors, "graph-errors", 0, "percent of replies that the Graph API answers 500")
	flags.Float64Var(&f.limited, "graph-limited", 0, "percent of replies that it answers 429 (code 130429)")
	flags.Float64Var(&f.refused, "graph-cut", 0, "percent of replies whose connection it breaks before it takes them")
	flags.Float64Var(&f.broken, "graph-broken", 0, "percent of replies whose connection it breaks after it took them")
}

func (f *simulateFlags) run(command *cobra.Command) (*simulate.Report, error) {
	o := f.options
	o.Pattern, o.Names = simulate.Pattern(strings.ToLower(f.pattern)), simulate.Names(strings.ToLower(f.names))
	for _, percent := range []float64{f.errors, f.limited, f.refused, f.broken} {
		if percent < 0 || f.errors+f.limited+f.refused+f.broken > 100 {
			return nil, errors.New("simulate: --graph-errors, -limited, -cut and -broken are percentages, at most " +
				"100 in all")
		}
	}
	o.Faults.MinLatency, o.Faults.MaxLatency = f.latency/2, f.latency*3/2
	o.Faults.ServerErrors, o.Faults.RateLimited = f.errors/100, f.limited/100
	o.Faults.BrokenBefore, o.Faults.BrokenAfter = f.refused/100, f.broken/100
	o.Faults.Seed = o.Seed
	if terminal(os.Stderr) {
		o.Progress = os.Stderr
	}
	o.Stop = command.Context().Done()
	return simulate.Run(context.WithoutCancel(command.Context()), o)
}

func (f *simulateFlags) print(w io.Writer, report *simulate.Report) error {
	if !f.asJSON {
		report.Write(w)
		return nil
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}

// terminal reports whether a file is one.
func terminal(f *os.File) bool {
	stat, err := f.Stat()
	return err == nil && stat.Mode()&os.ModeCharDevice != 0
}
