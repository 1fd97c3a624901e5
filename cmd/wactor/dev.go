package main

import (
	"context"
	"crypto/rand"
	_ "embed"
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
	"github.com/wactor/wactor/whatsapp/emulator"
)

//go:embed welcome.yaml
var welcomeFlow []byte

func devCommand() *cobra.Command {
	d := dev{}
	command := &cobra.Command{
		Use:   "dev [flow.yaml]",
		Short: "Try a bot with a WhatsApp phone in the browser: no account, no credentials",
		Long: `Run one node with an embedded store, and a WhatsApp phone in the browser instead of Meta. What you write on the page goes the way
of a real message: a signed webhook in, a turn of your bot, a reply out to a local Graph API.

Without a flow a small one is used that shows what flows can do. A flow file is watched: when you save it, the bot is the new one,
and conversations go on where they are. With --bot, turns go to your own program (docs/bots.md).`,
		Example: `  wactor dev
  wactor dev flows/my.yaml
  wactor dev --bot http://127.0.0.1:3000/turn`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			d.out = command.ErrOrStderr()
			if len(args) == 1 {
				d.flow = args[0]
			}
			if d.flow != "" && d.bot != "" {
				return errors.New("dev: a flow and --bot: one of the two")
			}
			return d.run(command.Context())
		},
	}
	flags := command.Flags()
	flags.StringVar(&d.listen, "listen", "127.0.0.1:8080", "address of the phone's page and of the webhooks")
	flags.StringVar(&d.data, "data", ".wactor", "folder of the store; delete it to begin anew")
	flags.StringVar(&d.bot, "bot", "", "URL of an HTTP bot, instead of a flow")
	return command
}

// dev is one run of `wactor dev`.
type dev struct {
	listen, data, flow, bot string

	out   io.Writer
	phone *phone.Phone
	graph string

	seen time.Time // when the flow that runs was saved

	mu sync.Mutex
	at string // where the node takes webhooks
}

func (d *dev) run(ctx context.Context) error {
	if err := d.prepare(); err != nil {
		return err
	}
	number := emulator.Number{PhoneNumberID: "100000000000001", AppSecret: rand.Text()}
	token := rand.Text()
	d.phone = phone.New(phone.Options{Number: number, AccessToken: token, Bot: d.botName(), WebhookURL: func() string {
		d.mu.Lock()
		defer d.mu.Unlock()
		return "http://" + d.at + "/webhooks/phone"
	}})
	defer d.phone.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("dev: the local Graph API can't listen: %w", err)
	}
	graph := &http.Server{Handler: d.phone.GraphHandler(), ReadHeaderTimeout: 5 * time.Second}
	var serving sync.WaitGroup
	serving.Go(func() { _ = graph.Serve(listener) })
	defer serving.Wait()
	defer graph.Close()
	d.graph = "http://" + listener.Addr().String()
	for first := true; ; first = false {
		cfg, err := d.config(number.AppSecret, token)
		if err != nil {
			return err
		}
		again, err := d.serve(ctx, cfg, first)
		if err != nil || !again {
			return err
		}
		fmt.Fprintf(d.out, "%s changed: the bot is the new one\n", d.flow)
	}
}

// prepare checks the flow, or writes the one that is used without any.
func (d *dev) prepare() error {
	if err := os.MkdirAll(d.data, 0o700); err != nil {
		return fmt.Errorf("dev: %w", err)
	}
	if d.bot != "" {
		return nil
	}
	if d.flow == "" {
		d.flow = filepath.Join(d.data, "welcome.yaml")
		if err := os.WriteFile(d.flow, welcomeFlow, 0o600); err != nil {
			return fmt.Errorf("dev: %w", err)
		}
	}
	d.seen = modified(d.flow) // before it is read: a save in between is seen later
	if _, err := loadFlow(d.flow); err != nil {
		return report(err, d.out)
	}
	return nil
}

func (d *dev) botName() string {
	if d.bot != "" {
		return "Your bot"
	}
	return strings.TrimSuffix(filepath.Base(d.flow), filepath.Ext(d.flow))
}

// config is what a configuration file would say.
func (d *dev) config(secret, token string) (*config.Config, error) {
	bot := fmt.Sprintf("{ http: { url: %q } }", d.bot)
	if d.bot == "" {
		path, err := filepath.Abs(d.flow)
		if err != nil {
			return nil, fmt.Errorf("dev: %w", err)
		}
		bot = fmt.Sprintf("{ flow: %q }", path)
	}
	data, err := filepath.Abs(filepath.Join(d.data, "data"))
	if err != nil {
		return nil, fmt.Errorf("dev: %w", err)
	}
	source := fmt.Sprintf(`
node: { name: dev, data_dir: %q }
listen: { http: %q, admin: "127.0.0.1:0" }
channels:
  - name: phone
    provider: whatsapp_cloud
    phone_number_id: "100000000000001"
    verify_token: dev
    app_secret: %q
    access_token: %q
    graph_url: %s
    bot: bot
    in_doubt: { wait: 2s, max: 2s }
bots:
  bot: %s
`, data, d.listen, secret, token, d.graph, bot)
	cfg, err := config.Parse("dev", []byte(source), os.LookupEnv, os.ReadFile)
	if err != nil {
		return nil, fmt.Errorf("dev: %w", err)
	}
	return cfg, nil
}

// serve runs the node until ctx ends, or until the flow has changed: then again is true.
func (d *dev) serve(ctx context.Context, cfg *config.Config, first bool) (again bool, err error) {
	logger := slog.New(slog.NewTextHandler(d.out, &slog.HandlerOptions{Level: slog.LevelWarn}))
	n, err := node.Start(cfg, node.Options{Logger: logger, Version: version, Pages: map[string]http.Handler{"/": d.phone}})
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return false, fmt.Errorf("dev: %s is taken, perhaps by another `wactor dev`: end that one, or choose another address with --listen", d.listen)
	case err != nil:
		return false, err
	}
	d.mu.Lock()
	d.at = n.HTTPAddr()
	d.mu.Unlock()
	d.listen = n.HTTPAddr() // a port that was chosen by the system stays
	if first {
		d.welcome(n)
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	changed := make(chan struct{}, 1)
	var watch sync.WaitGroup
	watch.Go(func() {
		if d.changed(watching) {
			changed <- struct{}{}
			stop()
		}
	})
	err = n.Wait(watching)
	stop()
	watch.Wait()
	d.phone.Disconnect() // the page's streams would hold the listener; the page comes back by itself
	closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	n.Close(closing)
	return len(changed) > 0 && ctx.Err() == nil, err
}

func (d *dev) welcome(n *node.Node) {
	fmt.Fprintf(d.out, "\n  Your bot is at   http://%s\n\n", n.HTTPAddr())
	fmt.Fprintf(d.out, "  Open it in a browser and write to the bot. Ctrl-C ends it; conversations are kept in %s.\n", d.data)
	fmt.Fprintf(d.out, "  A user's timeline:   wactor trace 4915100000001 --admin %s\n", n.AdminAddr())
	if d.bot == "" {
		fmt.Fprintf(d.out, "  The flow is %s: save it, and the bot is the new one.\n", d.flow)
	}
	fmt.Fprintln(d.out)
}

// changed waits until the flow file was saved without mistakes; false when ctx ends before.
func (d *dev) changed(ctx context.Context) bool {
	if d.bot != "" {
		<-ctx.Done()
		return false
	}
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
		now := modified(d.flow)
		if now.Equal(d.seen) || now.IsZero() {
			continue
		}
		d.seen = now
		if _, err := loadFlow(d.flow); err != nil {
			fmt.Fprintf(d.out, "%v\nthe bot stays the one it was\n", err)
			continue
		}
		return true
	}
}

func modified(path string) time.Time {
	stat, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return stat.ModTime()
}
