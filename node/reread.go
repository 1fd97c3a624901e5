package node

import (
	"context"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/internal/pause"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// rereadEvery is how often the files of a channel's secrets are read again.
const rereadEvery = 2 * time.Second

// startRereading uses a channel's secrets as their files have them from now on: a token is replaced
// by writing its file, and a channel that was held for the old one goes on. The returned function
// ends that and waits for it.
func startRereading(c *channel, logger *slog.Logger) (end func()) {
	logger = logger.With("channel", c.config.Name)
	failing := map[string]string{} // the last error of each key
	report := func(key string, changed bool, err error) {
		switch {
		case err == nil:
			delete(failing, key)
		case failing[key] != err.Error():
			failing[key] = err.Error()
			logger.Warn("a secret's file can't be read: the former one stays in use", "secret", key, "error", err)
		}
		if changed {
			logger.Info("a secret has changed in its file, and is used from now on", "secret", key)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		now := c.config.Settings
		for pause.For(ctx, rereadEvery) {
			again, changed := config.Reread(now, report)
			if now = again; changed {
				c.codec.use(now.Codec())
				c.sender.renew(now)
				if c.links != nil {
					c.links.UseSecrets(now.WebhookSecrets())
				}
			}
		}
	})
	return func() { stop(); done.Wait() }
}

// codec is a channel's provider.Codec, which is replaced with its secrets.
type codec struct {
	current atomic.Pointer[provider.Codec]
}

var _ provider.Codec = (*codec)(nil)

func newCodec(first provider.Codec) *codec {
	c := &codec{}
	c.use(first)
	return c
}

func (c *codec) use(next provider.Codec) { c.current.Store(&next) }

func (c *codec) now() provider.Codec { return *c.current.Load() }

func (c *codec) Challenge(query url.Values) ([]byte, bool) { return c.now().Challenge(query) }

func (c *codec) Signature(header provider.Header) (provider.Signature, bool) {
	return c.now().Signature(header)
}

func (c *codec) Decode(body []byte) (*provider.Batch, error) { return c.now().Decode(body) }

func (c *codec) Check(reply *wactorv1.Reply) error { return c.now().Check(reply) }

func (c *codec) Capabilities() provider.Capabilities { return c.now().Capabilities() }
