package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/node"
	"github.com/wactor/wactor/phone"
)

func devCommand() *cobra.Command {
	d := dev{}
	command := &cobra.Command{
		Use:   "dev [flow.yaml]",
		Short: "Try a bot with a WhatsApp phone in the browser: no account, no credentials",
		Long: `Run one node with an embedded store, and a WhatsApp phone in the browser instead of Meta. What you write on the page goes the way
of a real message: a signed webhook in, a turn of your bot, a reply out to a local Graph API.

Without a flow a small one is used that shows what flows can do. A flow file is watched: when you save it, the bot is the new one,
and conversations go on where they are. With --bot, turns go to your own program (docs/bots.md), signed with
--secret or $BOT_SECRET.`,
		Example: `  wactor dev
  wactor dev flows/my.yaml
  wactor dev --bot http://127.0.0.1:3000/turn`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			d.out = command.ErrOrStderr()
			d.anyPort = !command.Flags().Changed("listen")
			if len(args) == 1 {
				d.flow.file = args[0]
			}
			if d.flow.file != "" && d.bot != "" {
				return errors.New("dev: a flow and --bot: one of the two")
			}
			return d.run(command.Context())
		},
	}
	flags := command.Flags()
	flags.StringVar(&d.listen, "listen", firstAddress, "address of the phone's page and of the webhooks; without it, "+
		"the next port that is free")
	flags.StringVar(&d.data, "data", ".wactor", "folder of the store; delete it to begin anew")
	flags.StringVar(&d.bot, "bot", "", "URL of an HTTP bot, instead of a flow")
	flags.StringVar(&d.secret, "secret", "", "signs the turns for --bot; without it, $BOT_SECRET does where it is set")
	return command
}

// dev is one run of `wactor dev`.
type dev struct {
	listen, data, bot, secret string
	flow                      devFlow
	// anyPort allows to take the next port where one is taken.
	anyPort bool
	out     io.Writer

	channel devChannel
	admin   string // the address of the admin API, as soon as it is known
	phone   *phone.Phone

	mu sync.Mutex
	at string // where the node takes webhooks
}

func (d *dev) run(ctx context.Context) error {
	if err := os.MkdirAll(d.data, 0o700); err != nil {
		return fmt.Errorf("dev: --data: %w", err)
	}
	if d.bot == "" {
		if err := d.flow.begin(d.data); err != nil {
			return report(err, d.out)
		}
	}
	d.channel, d.admin = newDevChannel(), "127.0.0.1:0"
	d.phone = phone.New(phone.Options{
		Number: d.channel.number(), AccessToken: d.channel.accessToken, Bot: d.botName(), WebhookURL: d.webhookURL,
	})
	defer d.phone.Close()
	stop, err := d.serveGraph()
	if err != nil {
		return err
	}
	defer stop()
	for first := true; ; first = false {
		again, err := d.serve(ctx, first)
		if err != nil || !again {
			return err
		}
	}
}

func (d *dev) botName() string {
	if d.bot != "" {
		return "Your bot"
	}
	name := strings.TrimSuffix(filepath.Base(d.flow.file), filepath.Ext(d.flow.file))
	return strings.ToUpper(name[:1]) + name[1:]
}

func (d *dev) webhookURL() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return "http://" + d.at + "/webhooks/" + devChannelName
}

// serveGraph starts the local Graph API. It outlives the node, so that replies of a node that is
// started again have a place to go.
func (d *dev) serveGraph() (stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("dev: the local Graph API can't listen: %w", err)
	}
	graph := &http.Server{Handler: d.phone.GraphHandler(), ReadHeaderTimeout: 5 * time.Second}
	var serving sync.WaitGroup
	serving.Go(func() { _ = graph.Serve(listener) })
	d.channel.graphURL = "http://" + listener.Addr().String()
	return func() {
		graph.Close()
		serving.Wait()
	}, nil
}

// serve runs the node until ctx ends, or until the flow has changed: then again is true.
func (d *dev) serve(ctx context.Context, first bool) (again bool, err error) {
	n, err := d.start()
	if err != nil {
		return false, err
	}
	d.mu.Lock()
	d.at = loopback(n.HTTPAddr())
	d.mu.Unlock()
	d.listen, d.admin, d.anyPort = n.HTTPAddr(), n.AdminAddr(), false // ports that were chosen stay
	if first {
		d.welcome()
	} else {
		fmt.Fprintf(d.out, "%s changed: the bot is the new one\n", d.flow.file)
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	var watch sync.WaitGroup
	if d.bot == "" {
		watch.Go(func() {
			if d.flow.changed(watching, d.out) {
				again = true
				stop()
			}
		})
	}
	err = n.Wait(watching)
	stop()
	watch.Wait()
	d.phone.Disconnect() // the page's streams would hold the listener; the page comes back by itself
	closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	n.Close(closing)
	return again && ctx.Err() == nil, err
}

// Where the page is, unless --listen says so: the first of these ports that is free.
const (
	firstAddress = "127.0.0.1:8080"
	lastPort     = 8099
)

// start starts a node. Where a port is taken it takes the next, or says what to do.
func (d *dev) start() (*node.Node, error) {
	logger := slog.New(slog.NewTextHandler(d.out, &slog.HandlerOptions{Level: slog.LevelWarn}))
	wanted := d.listen
	for port := 8080; ; port++ {
		if d.anyPort {
			d.listen = fmt.Sprintf("127.0.0.1:%d", port)
		}
		cfg, err := d.config()
		if err != nil {
			return nil, err
		}
		var failed *net.OpError
		n, err := node.Start(cfg, node.Options{Logger: logger, Version: version, Memory: memory(), Development: true,
			Pages: map[string]http.Handler{"/": d.phone}})
		switch {
		case err == nil && d.listen != wanted:
			fmt.Fprintf(d.out, "%s is taken, so the phone is at %s\n", wanted, d.listen)
			return n, nil
		case err == nil:
			return n, nil
		case errors.Is(err, syscall.EAGAIN): // the store's lock
			return nil, fmt.Errorf("dev: %s is in use, perhaps by another `wactor dev`: end that one, or choose "+
				"another folder with --data", d.data)
		case !errors.Is(err, syscall.EADDRINUSE) && errors.As(err, &failed) && failed.Op == "listen":
			return nil, fmt.Errorf("dev: --listen: %w", failed)
		case !errors.Is(err, syscall.EADDRINUSE):
			return nil, err
		case !d.anyPort || port >= lastPort:
			return nil, fmt.Errorf("dev: %s is taken, perhaps by another `wactor dev`: end that one, or choose "+
				"another address with --listen", d.listen)
		}
	}
}

func (d *dev) welcome() {
	fmt.Fprintf(d.out, "\n  Your bot is at   http://%s\n\n", d.at)
	if !config.Loopback(d.listen) {
		fmt.Fprint(d.out, "  WARNING: the phone needs no password: everyone who reaches this machine's network "+
			"address can read and write.\n\n")
	}
	fmt.Fprintf(d.out, "  Open it in a browser and write to the bot. Ctrl-C ends it; conversations are kept in %s.\n",
		d.data)
	fmt.Fprintf(d.out, "  A user's timeline:   %s trace 4915100000001 --admin %s\n", called(os.Args[0]), d.admin)
	switch {
	case d.bot != "":
		fmt.Fprintf(d.out, "  Turns go to %s.\n", d.bot)
	case d.flow.builtIn:
		fmt.Fprintf(d.out, "  The flow is a small one that shows what flows can do. Make it yours:\n\n")
		fmt.Fprintf(d.out, "    cp %s my.yaml && %s dev my.yaml\n", d.flow.file, called(os.Args[0]))
	default:
		fmt.Fprintf(d.out, "  The flow is %s: save it, and the bot is the new one.\n", d.flow.file)
	}
	fmt.Fprintln(d.out)
}

// loopback is where this machine reaches an address that may be that of all its interfaces.
func loopback(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("localhost", port)
	}
	return address
}

// called is how this program is called from where it was started, so that a line of its own can be
// pasted. `go run` starts it in a folder that is gone afterwards.
func called(program string) string {
	if strings.Contains(filepath.ToSlash(program), "/go-build") {
		return "go run ./cmd/wactor"
	}
	return program
}
