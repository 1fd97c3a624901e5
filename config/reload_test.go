package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const reloadBase = `
node: { name: n1 }
listen: { admin: "127.0.0.1:8081" }
channels:
  - { name: shop, provider: whatsapp_cloud, phone_number_id: "1", verify_token: v, app_secret: s, access_token: t, bot: orders }
bots:
  orders: { flow: a.yaml }
`

// TestReloadSortsWhatChanged: what a running node takes up and what waits for a restart are told
// apart, key by key, and only the first is in the configuration that it goes on with.
func TestReloadSortsWhatChanged(t *testing.T) {
	running := reloadParse(t, reloadBase)
	for text, want := range map[string]Changes{
		reloadBase: {},
		strings.Replace(reloadBase, "flow: a.yaml", "flow: b.yaml, debounce: 5s", 1): {
			Live: []string{"bots.orders.debounce", "bots.orders.flow"}},
		reloadBase + "log: { level: debug, format: json }\ncluster: { shards: 16 }\n": {
			Live: []string{"log.level"}, Restart: []string{"cluster.shards", "log.format"}},
		reloadBase + "limits: { inbox: 5 }\nstale_after: 1d\nadmin: { token: 0123456789abcdef }\n": {
			Live: []string{"admin.token", "limits.inbox", "stale_after"}},
		strings.Replace(reloadBase, "channels:\n", `channels:
  - { name: store, provider: whatsapp_cloud, phone_number_id: "2", verify_token: v, app_secret: s, access_token: t, bot: orders }
`, 1): {Live: []string{"channels.store"}},
		strings.Replace(reloadBase, `phone_number_id: "1"`, `phone_number_id: "7", typing: true`, 1): {
			Live: []string{"channels.shop.phone_number_id", "channels.shop.typing"}},
	} {
		read := reloadParse(t, text)
		next, got, err := Reload(running, read)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: changes (-want +got):\n%s", text, diff)
		}
		if next.Cluster.Shards != running.Cluster.Shards || next.Log.Format != running.Log.Format ||
			next.Limits != read.Limits || len(next.Channels) != len(read.Channels) {
			t.Errorf("%s: goes on with %+v", text, next)
		}
	}
}

// TestReloadHoldsTogether: half of a change that needs the other half is rejected.
func TestReloadHoldsTogether(t *testing.T) {
	running := reloadParse(t, strings.Replace(reloadBase, "127.0.0.1:8081", "0.0.0.0:8081", 1)+
		"admin: { token: 0123456789abcdef }\n")
	_, _, err := Reload(running, reloadParse(t, reloadBase)) // its loopback listener needs no token
	if err == nil || !strings.Contains(err.Error(), "admin.token") || !strings.Contains(err.Error(), "listen.admin") {
		t.Errorf("a public listener would lose its token: %v", err)
	}
	running = reloadParse(t, reloadBase)
	_, _, err = Reload(running, reloadParse(t, reloadBase+"dedup_window: 30d\nstale_after: 20d\n"))
	if err == nil || !strings.Contains(err.Error(), "stale_after") {
		t.Errorf("stale_after would be longer than dedup_window: %v", err)
	}
}

func reloadParse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("wactor.yaml", []byte(text), environment, readTestFile, kinds)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDigestsAgree: alike configurations have one digest, and each change of what a reload takes up
// has another, secrets included. What needs a restart does not count.
func TestDigestsAgree(t *testing.T) {
	seen := map[string]string{}
	for _, text := range []string{reloadBase, strings.Replace(reloadBase, "app_secret: s", "app_secret: z", 1),
		strings.Replace(reloadBase, "flow: a.yaml", "flow: a.yaml, debounce: 5s", 1),
		reloadBase + "limits: { inbox: 5 }\n", reloadBase + "log: { level: debug }\n"} {
		c := reloadParse(t, text)
		if again := reloadParse(t, text).Digest(); again != c.Digest() {
			t.Errorf("%s has two digests", text)
		}
		if before, ok := seen[c.Digest()]; ok {
			t.Errorf("one digest for %s and %s", before, text)
		}
		seen[c.Digest()] = text
	}
	if reloadParse(t, reloadBase+"log: { format: json }\n").Digest() != reloadParse(t, reloadBase).Digest() {
		t.Error("a key that needs a restart is in the digest")
	}
	a := reloadParse(t, reloadBase)
	b := reloadParse(t, strings.Replace(reloadBase, "access_token: t", "access_token: u", 1))
	c := reloadParse(t, strings.Replace(reloadBase, `phone_number_id: "1"`, `phone_number_id: "7"`, 1))
	if !SameButSecrets(a.Channels[0].Settings, b.Channels[0].Settings) ||
		SameButSecrets(a.Channels[0].Settings, c.Channels[0].Settings) {
		t.Error("a token is no secret, or a number is one")
	}
}
