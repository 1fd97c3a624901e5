package node

import (
	"context"
	"log/slog"
	"net/url"
	"slices"
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

// rereadSecrets uses a channel's secrets as their files have them, until ctx ends: a token is
// replaced by writing its file, and a channel that was held for the old one goes on.
func (c *channel) rereadSecrets(ctx context.Context, remake func(*config.Channel) provider.Codec,
	log func(secret string, err error)) {
	failing := map[string]string{}
	changed := false
	reread := func(secret config.Secret, name string) config.Secret {
		again, err := secret.Reread()
		if err != nil {
			if failing[name] != err.Error() {
				log(name, err)
			}
			failing[name] = err.Error()
			return secret
		}
		delete(failing, name)
		if again.Reveal() != secret.Reveal() {
			changed = true
			log(name, nil)
		}
		return again
	}
	now := *c.config
	now.AppSecret = slices.Clone(now.AppSecret)
	for pause.For(ctx, rereadEvery) {
		if again := reread(now.AccessToken, "access_token"); again.Reveal() != now.AccessToken.Reveal() {
			now.AccessToken = again
			c.sender.SetAccessToken(again.Reveal())
		}
		now.VerifyToken = reread(now.VerifyToken, "verify_token")
		for i := range now.AppSecret {
			now.AppSecret[i] = reread(now.AppSecret[i], "app_secret")
		}
		if changed {
			changed = false
			c.codec.use(remake(&now))
		}
	}
}

// startRereading begins to read a channel's secrets again; end stops that and waits for it.
func startRereading(c *channel, remake func(*config.Channel) provider.Codec, logger *slog.Logger) (end func()) {
	logger = logger.With("channel", c.config.Name)
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		c.rereadSecrets(ctx, remake, func(secret string, err error) {
			if err != nil {
				logger.Warn("a secret's file can't be read: the former one stays in use", "secret", secret, "error",
					err)
				return
			}
			logger.Info("a secret has changed in its file, and is used from now on", "secret", secret)
		})
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
