// Command wactor runs WhatsApp bots: one user, one actor, one message at a time.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	// A container image without files has neither certificates of authorities nor time zones. The
	// fallbacks are compiled in; where the system has its own certificates, those are used.
	_ "time/tzdata"

	"github.com/spf13/cobra"
	_ "golang.org/x/crypto/x509roots/fallback"

	backups "github.com/wactor/wactor/backup/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	err := root().ExecuteContext(ctx)
	var quiet quietError
	switch {
	case err == nil:
	case errors.As(err, &quiet):
		os.Exit(quiet.code)
	default:
		fmt.Fprintln(os.Stderr, "wactor:", err)
		os.Exit(1)
	}
}

// quietError ends the program with a code; what there was to say has been said.
type quietError struct{ code int }

func (quietError) Error() string { return "" }

func root() *cobra.Command {
	command := &cobra.Command{
		Use:   "wactor",
		Short: "WhatsApp bots without session races: one user, one actor, one message at a time",
		Long: `Wactor runs WhatsApp bots. Every webhook is routed to the one actor that owns the user's conversation; its messages are
taken one at a time, its state is committed before the webhook is answered, and its replies leave through a durable outbox.

Start here, without an account:   wactor dev
A real deployment:                wactor serve -c wactor.yaml`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	command.Version = versionLine()
	command.SetVersionTemplate("{{.Version}}\n")
	return group(command,
		devCommand(), serveCommand(), recoverCommand(), checkCommand(), traceCommand(), conversationsCommand(),
		clusterCommand(), flowCommand(), backupCommand(), backups.Restore(), simulateCommand(), reloadCommand(),
		healthcheckCommand(),
		versionCommand())
}
