package node

import (
	"context"
	"fmt"
	"net"
	"path/filepath"

	"github.com/wactor/wactor/internal/servertls"
)

// encrypt makes the public listener speak TLS, where the configuration says so.
func (n *Node) encrypt() error {
	l := &n.config.Listen
	var err error
	switch {
	case l.TLS != nil:
		files := servertls.Files{Cert: l.TLS.Cert, Key: l.TLS.Key, ClientCA: l.TLS.ClientCA}
		if n.public.http.TLSConfig, err = servertls.FromFiles(files); err != nil {
			return fmt.Errorf("node: listen.tls: %w", err)
		}
	case l.ACME != nil:
		ctx, cancel := context.WithCancel(context.Background())
		n.public.http.RegisterOnShutdown(cancel)
		n.public.http.TLSConfig, err = servertls.FromACME(ctx, servertls.ACME{
			Domains: l.ACME.Domains, Email: l.ACME.Email, Directory: l.ACME.Directory, Root: l.ACME.Root,
			Dir: filepath.Join(n.config.Node.DataDir, "acme"), Port: n.public.listener.Addr().(*net.TCPAddr).Port,
		}, n.options.Logger)
		if err != nil {
			cancel()
			return fmt.Errorf("node: listen.acme: %w", err)
		}
	}
	return nil
}
