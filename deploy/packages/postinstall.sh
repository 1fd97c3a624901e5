#!/bin/sh
# After installation or upgrade. Nothing is started by itself: a node without a channel has nothing to do. A node that runs
# is restarted, cleanly: webhooks wait or come again, none is lost.
set -e
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
# Credentials that the unit loads must exist; those that are the operator's own choice are made.
for name in cluster-secret admin-token verify-token; do
	file=/etc/wactor/credentials/$name
	[ -s "$file" ] || { umask 077; od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$file"; }
done
for name in app-secret access-token; do
	file=/etc/wactor/credentials/$name
	[ -e "$file" ] || { umask 077; : >"$file"; }
done
if systemctl is-active --quiet wactor; then
	systemctl restart wactor
else
	echo "wactor: put the app secret and the access token into /etc/wactor/credentials, edit /etc/wactor/wactor.yaml, then:"
	echo "  systemctl enable --now wactor"
fi
