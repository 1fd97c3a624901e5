package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/internal/problem"
	"github.com/wactor/wactor/node"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

const (
	devChannelName = "phone"
	devNumberID    = "100000000000001"
)

// devChannel is the channel between the phone and the node, with secrets of this run alone.
type devChannel struct{ appSecret, accessToken, verifyToken, graphURL string }

func newDevChannel() devChannel {
	return devChannel{appSecret: rand.Text(), accessToken: rand.Text(), verifyToken: rand.Text()}
}

func (c *devChannel) number() emulator.Number {
	return emulator.Number{PhoneNumberID: devNumberID, AppSecret: c.appSecret}
}

// config is what a configuration file would say. It goes through the same checks as one.
func (d *dev) config() (*config.Config, error) {
	bot := fmt.Sprintf("{ http: { url: %q } }", d.bot)
	if d.botSecret() != "" {
		bot = fmt.Sprintf("{ http: { url: %q, secret: \"${%s}\" } }", d.bot, devSecret)
	}
	if d.bot == "" {
		path, err := filepath.Abs(d.flow.checked)
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
listen: { http: %q, admin: %q }
channels:
  - name: %s
    provider: whatsapp_cloud
    phone_number_id: %q
    verify_token: %q
    app_secret: %q
    access_token: %q
    graph_url: %q
    bot: bot
    mark_read: true
    typing: true
    in_doubt: { wait: 2s, max: 2s }
bots:
  bot: %s
`, data, d.listen, d.admin, devChannelName, devNumberID, d.channel.verifyToken, d.channel.appSecret,
		d.channel.accessToken, d.channel.graphURL, bot)
	cfg, err := config.Parse("dev", []byte(source), d.lookup, os.ReadFile, node.Kinds())
	if err != nil {
		return nil, fmt.Errorf("dev: %w", byFlags(err))
	}
	return cfg, nil
}

// devSecret names the bot's secret in the configuration: a value could hold what YAML or a
// reference takes for something else.
const devSecret = "WACTOR_DEV_BOT_SECRET"

func (d *dev) botSecret() string {
	if d.secret != "" {
		return d.secret
	}
	return os.Getenv("BOT_SECRET")
}

func (d *dev) lookup(name string) (string, bool) {
	if name == devSecret {
		return d.botSecret(), true
	}
	return os.LookupEnv(name)
}

// byFlags names the flags that mistakes come from: the user wrote neither the file nor its keys.
func byFlags(err error) error {
	var problems problem.List
	if !errors.As(err, &problems) {
		return err
	}
	flags := strings.NewReplacer("listen.http: ", "--listen: ", "node.data_dir: ", "--data: ", "bots.bot.http.url: ",
		"--bot: ")
	named := make(problem.List, len(problems))
	for i, p := range problems {
		named[i] = problem.Problem{Message: flags.Replace(p.Message), Remedy: p.Remedy}
	}
	return named
}
