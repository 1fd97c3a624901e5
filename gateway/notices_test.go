package gateway

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

// logged runs requests against a gateway and returns what it logged.
func logged(t *testing.T, change func(*Options), requests func(*Gateway)) (string, *router, *Gateway) {
	t.Helper()
	r, log := &router{}, &bytes.Buffer{}
	g := newGateway(r, func(o *Options) {
		o.Logger = slog.New(slog.NewTextHandler(log, nil))
		if change != nil {
			change(o)
		}
	})
	requests(g)
	return log.String(), r, g
}

// counted returns the values of a counter, by the values of its label.
func counted(t *testing.T, registry *prometheus.Registry, name string) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, series := range f.Metric {
			if label := series.GetLabel(); f.GetName() == name && len(label) == 1 {
				got[label[0].GetValue()] = series.GetCounter().GetValue()
			} else if f.GetName() == name {
				got[""] = series.GetCounter().GetValue()
			}
		}
	}
	return got
}

// TestFirstDayIsNotSilent: each step of setting a channel up, and each mistake in it, leaves a line
// that says what to do, and a repetition leaves none.
func TestFirstDayIsNotSilent(t *testing.T) {
	const handshake = "?hub.mode=subscribe&hub.challenge=1&hub.verify_token="
	one := envelope(change("111", text("1", "m")))
	get := func(path string) func(*Gateway) {
		return func(g *Gateway) {
			g.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
		}
	}
	send := func(path, secret, body string) func(*Gateway) {
		return func(g *Gateway) { post(g, path, secret, body) }
	}
	sample := strings.Replace(envelope(change("123456123", text("16315551181", "ABGGFlA5Fpa"))), `"id":"1"`, `"id":"0"`, 1)
	for name, c := range map[string]struct {
		request func(*Gateway)
		want    string
		every   bool // each request has its line
	}{
		"verified":       {get("/webhooks/shop" + handshake + "token"), `level=INFO msg="Meta verified channel shop"`, true},
		"slash verified": {get("/webhooks/shop/" + handshake + "token"), `level=INFO msg="Meta verified channel shop"`, true},
		"wrong token":    {get("/webhooks/shop" + handshake + "x"), `status=403`, false},
		"wrong path":     {get("/webhooks/nope" + handshake + "token"), `status=404`, false},
		"deeper path":    {send("/webhooks/shop/messages", "new", one), `status=404`, false},
		"first webhook":  {send("/webhooks/shop", "new", one), `level=INFO msg="the first webhook of channel shop arrived"`, false},
		"wrong secret":   {send("/webhooks/shop", "wrong", one), `status=401`, false},
		"no signature":   {send("/webhooks/shop", "", one), `status=401`, false},
		"unknown path":   {send("/webhooks/nope", "new", one), `status=404`, false},
		"a test":         {send("/webhooks/shop", "new", sample), `msg="a test from Meta's console arrived for channel shop: the setup works"`, true},
		"banned": {send("/webhooks/shop", "new", envelope(`{"field":"account_update","value":{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"DISABLE"}}}`)),
			`level=ERROR msg="WhatsApp changed the account: DISABLED_UPDATE, DISABLE"`, false},
		"locked": {send("/webhooks/shop", "new", envelope(`{"field":"messages","value":{"metadata":{"phone_number_id":"111"},"errors":[{"code":131031,"title":"locked"}]}}`)),
			`code=131031`, false},
		"odd part":       {send("/webhooks/shop", "new", envelope(change("111", `{"id":"a","from":"1","type":"location","location":{"latitude":null}}`))), `part=location`, false},
		"another number": {send("/webhooks/shop", "new", envelope(change("999", text("1", "m")))), `phone_number_id=999`, false},
	} {
		t.Run(name, func(t *testing.T) {
			log, _, _ := logged(t, nil, func(g *Gateway) { c.request(g); c.request(g) })
			want := 1
			if c.every {
				want = 2
			}
			if got := strings.Count(log, c.want); got != want {
				t.Errorf("%d lines with %s, want %d:\n%s", got, c.want, want, log)
			}
			if strings.Contains(log, "level=WARN") && !strings.Contains(log, "remedy=") && name != "odd part" {
				t.Errorf("a warning without a remedy:\n%s", log)
			}
		})
	}
}

// TestSampleOfTheConsoleLeavesNothing: no dead letter, no warning, and no message for a
// conversation.
func TestSampleOfTheConsoleLeavesNothing(t *testing.T) {
	sample := strings.Replace(envelope(change("123456123", text("16315551181", "ABGGFlA5Fpa")),
		`{"field":"account_update","value":{"event":"DISABLED_UPDATE"}}`), `"id":"1"`, `"id":"0"`, 1)
	log, r, _ := logged(t, nil, func(g *Gateway) { post(g, "/webhooks/shop", "new", sample) })
	if len(r.got) != 0 || strings.Contains(log, "WARN") || strings.Contains(log, "ERROR") {
		t.Errorf("delivered %q, logged\n%s", r.names(), log)
	}
	// The same form for a number that there is is a message like any other.
	ours := strings.Replace(envelope(change("111", text("1", "m"))), `"id":"1"`, `"id":"0"`, 1)
	if _, r, _ := logged(t, nil, func(g *Gateway) {
		post(g, "/webhooks/shop", "new",
			ours)
	}); r.names() != "shop/1 text" {
		t.Errorf("delivered %q", r.names())
	}
}

// TestOtherNumbersLeaveNoTexts: what is for a number that no channel has is counted, and not kept.
func TestOtherNumbersLeaveNoTexts(t *testing.T) {
	var parts []string
	for i := range 3000 {
		parts = append(parts, text(fmt.Sprint(i), fmt.Sprint("m", i)))
	}
	foreign := envelope(change("999", append(parts, `{"id":1}`)...))
	registry := prometheus.NewRegistry()
	log, r, _ := logged(t, func(o *Options) { o.Registerer = registry },
		func(g *Gateway) { post(g, "/webhooks/shop", "new", foreign) })
	if len(r.got) != 0 || strings.Count(log, "WARN") != 1 {
		t.Errorf("%d deliveries, logged\n%s", len(r.got), log)
	}
	if got := counted(t, registry, "wactor_unknown_numbers_total")[""]; got != 3001 {
		t.Errorf("%v pieces were counted", got)
	}
	registry = prometheus.NewRegistry()
	ignoring := func(o *Options) {
		o.Registerer = registry
		o.Channels = append([]Channel(nil), o.Channels...)
		o.Channels[0].IgnoreNumbers = []string{"999"}
	}
	log, r, _ = logged(t, ignoring, func(g *Gateway) { post(g, "/webhooks/shop", "new", foreign) })
	if len(r.got) != 0 || strings.Contains(log, "WARN") || counted(t, registry,
		"wactor_unknown_numbers_total")[""] != 0 {
		t.Errorf("ignored: %d deliveries, logged\n%s", len(r.got), log)
	}
}

// TestChangesAreCountedByField: an alert can watch one kind of news.
func TestChangesAreCountedByField(t *testing.T) {
	registry := prometheus.NewRegistry()
	body := envelope(`{"field":"account_update","value":{"event":"X"}}`, `{"field":"never_seen","value":{}}`,
		change("111", `{"group_id":"g","from":"1","id":"m","type":"text"}`))
	logged(t, func(o *Options) { o.Registerer = registry }, func(g *Gateway) { post(g, "/webhooks/shop", "new", body) })
	want := map[string]float64{"account_update": 1, "group_messages": 1, "unknown": 1}
	if diff := cmp.Diff(want, counted(t, registry, "wactor_other_changes_total")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
