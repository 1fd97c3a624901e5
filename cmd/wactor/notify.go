package main

import (
	"log/slog"

	"github.com/coreos/go-systemd/v22/daemon"
)

// notifyReady tells systemd, where it started this process with Type=notify, that the node serves.
// Elsewhere it does nothing.
func notifyReady(logger *slog.Logger) { notify(logger, daemon.SdNotifyReady) }

// notifyStopping tells systemd that the node stops, so that it is shown as such.
func notifyStopping(logger *slog.Logger) { notify(logger, daemon.SdNotifyStopping) }

func notify(logger *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		logger.Warn("notifying systemd failed", "error", err)
	}
}
