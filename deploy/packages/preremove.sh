#!/bin/sh
# Before removal (not before an upgrade). The data in /var/lib/wactor and the configuration stay.
set -e
case "$1" in
upgrade | 1) exit 0 ;;
esac
[ -d /run/systemd/system ] || exit 0
systemctl disable --now wactor || true
