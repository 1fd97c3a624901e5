package gateway

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	"github.com/wactor/wactor/provider/cloudapi"
)

// router records deliveries and answers them as set.
type router struct {
	mu     sync.Mutex
	got    []delivered
	answer func(delivery.Envelope) delivery.Outcome
	silent bool
}

// delivered is what the gateway has passed to its router.
type delivered struct {
	delivery.Envelope
	done delivery.Done
}

func (r *router) Deliver(e delivery.Envelope, done delivery.Done) {
	r.mu.Lock()
	r.got = append(r.got, delivered{e, done})
	r.mu.Unlock()
	if r.silent {
		return
	}
	if r.answer != nil {
		done(r.answer(e))
		return
	}
	done(delivery.Outcome{Verdict: conversation.Accepted})
}

func (r *router) names() string {
	var names []string
	for _, d := range r.got {
		what := "status"
		if m := d.Message(); m != nil {
			what = m.Type
		}
		names = append(names, d.To.String()+" "+what)
	}
	return strings.Join(names, ", ")
}

var channels = []Channel{
	{Name: "shop", Number: "111", Codec: &cloudapi.Codec{VerifyToken: "token", AppSecrets: []string{"new", "old"}}},
	{Name: "bank", Number: "222", Codec: &cloudapi.Codec{VerifyToken: "token2", AppSecrets: []string{"old"}}},
	{Name: "clinic", Number: "333", Codec: &cloudapi.Codec{VerifyToken: "token3", AppSecrets: []string{"other"}}},
}

func newGateway(r *router, change func(*Options)) *Gateway {
	options := Options{Router: r, Channels: channels, Node: "n1", Registerer: prometheus.NewRegistry()}
	if change != nil {
		change(&options)
	}
	return New(options)
}

func post(g http.Handler, path, secret, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	if secret != "" {
		request.Header.Set(cloudapi.SignatureHeader, cloudapi.Sign(secret, []byte(body)))
	}
	recorder := httptest.NewRecorder()
	g.ServeHTTP(recorder, request)
	return recorder
}

func envelope(changes ...string) string {
	return `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[` + strings.Join(changes, ",") + `]}]}`
}

func change(number string, messages ...string) string {
	return `{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"phone_number_id":"` + number + `"},"messages":[` +
		strings.Join(messages, ",") + `]}}`
}

func text(user, id string) string {
	return fmt.Sprintf(`{"from":%q,"id":%q,"timestamp":"1700000000","type":"text","text":{"body":"hi"}}`, user, id)
}

func TestVerdicts(t *testing.T) {
	one := envelope(change("111", text("49151", "wamid.1")))
	fail := func(err error) func(*router) {
		return func(r *router) {
			r.answer = func(delivery.Envelope) delivery.Outcome { return delivery.Outcome{Err: err} }
		}
	}
	verdict := func(v conversation.Verdict) func(*router) {
		return func(r *router) {
			r.answer = func(delivery.Envelope) delivery.Outcome { return delivery.Outcome{Verdict: v} }
		}
	}
	for name, test := range map[string]struct {
		path, secret, body string
		router             func(*router)
		status             int
		delivered          string
	}{
		"accepted":   {"/webhooks/shop", "new", one, nil, 200, "shop/49151 text"},
		"old secret": {"/webhooks/shop", "old", one, nil, 200, "shop/49151 text"},
		"duplicate": {"/webhooks/shop", "new", one, verdict(conversation.Duplicate), 200,
			"shop/49151 text"},
		"overloaded user": {"/webhooks/shop", "new", one, verdict(conversation.Overloaded), 503,
			"shop/49151 text"},
		"overloaded node":    {"/webhooks/shop", "new", one, fail(delivery.ErrOverloaded), 503, "shop/49151 text"},
		"not leader":         {"/webhooks/shop", "new", one, fail(delivery.ErrNotLeader), 503, "shop/49151 text"},
		"unknown fate":       {"/webhooks/shop", "new", one, fail(delivery.ErrUnknownFate), 503, "shop/49151 text"},
		"wrong secret":       {"/webhooks/shop", "wrong", one, nil, 401, ""},
		"no signature":       {"/webhooks/shop", "", one, nil, 401, ""},
		"unknown channel":    {"/webhooks/nope", "new", one, nil, 404, ""},
		"not JSON":           {"/webhooks/shop", "new", "hello", nil, 200, "shop/? unreadable"},
		"other product":      {"/webhooks/shop", "new", `{"object":"page","entry":[]}`, nil, 200, "shop/? unreadable"},
		"no messages":        {"/webhooks/shop", "new", envelope(`{"field":"account_update","value":{}}`), nil, 200, ""},
		"message without id": {"/webhooks/shop", "new", envelope(change("111", `{"from":"1","type":"text"}`, text("2", "m"))), nil, 200, "shop/2 text, shop/? unreadable"},
		"number of another": {"/webhooks/shop", "old", envelope(change("222", text("1", "m"))), nil, 200,
			"bank/1 text"},
		"number of a stranger": {"/webhooks/shop", "new", envelope(change("333", text("1", "m"))), nil, 200,
			"shop/? unreadable"},
		"number not configured": {"/webhooks/shop", "new", envelope(change("999", text("1", "m"))), nil, 200, ""},
		"slash behind it":       {"/webhooks/shop/", "new", one, nil, 200, "shop/49151 text"},
		"deeper path":           {"/webhooks/shop/x", "new", one, nil, 404, ""},
		"several numbers": {"/webhooks/shop", "old", envelope(change("111", text("1", "m")),
			change("222", text("1", "m"))), nil, 200, "shop/1 text, bank/1 text"},
		"group":     {"/webhooks/shop", "new", envelope(change("111", `{"group_id":"g","from":"1","id":"m","timestamp":"1","type":"text","text":{"body":"x"}}`)), nil, 200, ""},
		"too large": {"/webhooks/shop", "new", strings.Repeat(" ", 3<<20+1), nil, 413, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := &router{}
			if test.router != nil {
				test.router(r)
			}
			response := post(newGateway(r, nil), test.path, test.secret, test.body)
			if response.Code != test.status || r.names() != test.delivered {
				t.Errorf("%d, delivered %q; want %d, %q", response.Code, r.names(), test.status, test.delivered)
			}
			if retry := response.Header().Get("Retry-After"); (retry != "") != (test.status == 503) {
				t.Errorf("Retry-After: %q", retry)
			}
		})
	}
}

func TestOnePartThatFailsFailsTheWhole(t *testing.T) {
	r := &router{}
	r.answer = func(e delivery.Envelope) delivery.Outcome {
		if e.To.User == "2" {
			return delivery.Outcome{Err: delivery.ErrNotLeader}
		}
		return delivery.Outcome{Verdict: conversation.Accepted}
	}
	body := envelope(change("111", text("1", "a"), text("2", "b"), text("3", "c")))
	if response := post(newGateway(r, nil), "/webhooks/shop", "new", body); response.Code != 503 || len(r.got) != 3 {
		t.Errorf("%d with %d deliveries", response.Code, len(r.got))
	}
}

func TestAThousandMessagesInOnePost(t *testing.T) {
	var messages []string
	for i := range 1000 {
		messages = append(messages, text(fmt.Sprint(i%300), fmt.Sprintf("wamid.%d", i)))
	}
	r := &router{}
	if response := post(newGateway(r, nil), "/webhooks/shop", "new",
		envelope(change("111", messages...))); response.Code != 200 {
		t.Fatalf("status %d", response.Code)
	}
	next := map[string]int{}
	for i, d := range r.got {
		user := d.To.User
		k, _ := strconv.Atoi(user)
		if d.Message().Id != fmt.Sprintf("wamid.%d", k+300*next[user]) {
			t.Fatalf("delivery %d: %v %v", i, d.To, d.Message().Id)
		}
		next[user]++
	}
	if len(r.got) != 1000 {
		t.Errorf("%d deliveries", len(r.got))
	}
}

// TestUnreadIsKeptOnce: the provider's next try with the same bytes is known by its id.
func TestUnreadIsKeptOnce(t *testing.T) {
	r := &router{}
	g := newGateway(r, nil)
	for range 2 {
		post(g, "/webhooks/shop", "new", "strange")
	}
	if len(r.got) != 2 || r.got[0].Message().Id != r.got[1].Message().Id ||
		string(r.got[0].Message().Raw) != "strange" {
		t.Errorf("deliveries: %v", r.got)
	}
}

// TestUnreadIsLoggedOnce: a webhook of a thousand strange pieces is a line in the log, not a
// thousand.
func TestUnreadIsLoggedOnce(t *testing.T) {
	r, log := &router{}, &bytes.Buffer{}
	g := newGateway(r, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(log, nil)) })
	post(g, "/webhooks/shop", "new", envelope(change("111", strings.Repeat("{},", 999)+"{}")))
	if lines := strings.Count(log.String(), "can't be read"); lines != 1 {
		t.Errorf("%d lines in %s", lines, log)
	}
}

// TestVerdictsAreCountedFromZero: an alert on a rate of refusals must see the first of them.
func TestVerdictsAreCountedFromZero(t *testing.T) {
	registry := prometheus.NewRegistry()
	newGateway(&router{}, func(o *Options) { o.Registerer = registry })
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "wactor_webhooks_total" && len(f.Metric) == len(answers) {
			return
		}
	}
	t.Errorf("not all verdicts are there: %v", families)
}

func TestStatusesFindTheirConversation(t *testing.T) {
	status := func(reply string) string {
		return `{"field":"messages","value":{"metadata":{"phone_number_id":"111"},"statuses":[{"id":"wamid.9","status":"failed","timestamp":"1700000000",
			"recipient_id":"another","biz_opaque_callback_data":"` + reply + `","errors":[{"code":131026,"title":"Undeliverable"}]}]}}`
	}
	r := &router{}
	var came []string
	g := newGateway(r, func(o *Options) { o.StatusCame = func(channel string) { came = append(came, channel) } })
	if response := post(g, "/webhooks/shop", "new", envelope(status("w1.loyw3v28.2.49151"),
		status("of another program"))); response.Code != 200 {
		t.Fatalf("status %d", response.Code)
	}
	if want := []string{"shop", "shop"}; !slices.Equal(came, want) {
		t.Errorf("statuses came on %q, want %q", came, want)
	}
	if r.names() != "shop/49151 status" {
		t.Fatalf("delivered %q", r.names())
	}
	if s := r.got[0].Body.(delivery.Status); s.ProviderID != "wamid.9" || s.Status != "failed" ||
		s.Code != 131026 || s.Reason != "Undeliverable" ||
		s.AtMs != 1_700_000_000_000 {
		t.Errorf("status %+v", s)
	}
}

func TestHandshake(t *testing.T) {
	g := newGateway(&router{}, nil)
	get := func(url string) *httptest.ResponseRecorder {
		recorder := httptest.NewRecorder()
		g.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, url, nil))
		return recorder
	}
	if r := get("/webhooks/shop?hub.mode=subscribe&hub.challenge=12<b>&hub.verify_token=token"); r.Code != 200 ||
		r.Body.String() != "12<b>" ||
		!strings.HasPrefix(r.Header().Get("Content-Type"), "text/plain") {
		t.Errorf("%d %q %v", r.Code, r.Body, r.Header())
	}
	if r := get("/webhooks/shop?hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong"); r.Code != 403 {
		t.Errorf("wrong token: %d", r.Code)
	}
	if r := get("/webhooks/nope?hub.mode=subscribe&hub.challenge=1&hub.verify_token=token"); r.Code != 404 {
		t.Errorf("unknown channel: %d", r.Code)
	}
	recorder := httptest.NewRecorder()
	g.ServeHTTP(recorder, httptest.NewRequest(http.MethodPut, "/webhooks/shop", nil))
	if recorder.Code != 405 {
		t.Errorf("PUT: %d", recorder.Code)
	}
}

func TestOutcomeThatDoesNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &router{silent: true}
		g := newGateway(r, func(o *Options) { o.MaxInFlight, o.Timeout = 2, 7*time.Second })
		body := envelope(change("111", text("1", "m")))
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				if response := post(g, "/webhooks/shop", "new", body); response.Code != 503 {
					t.Errorf("status %d", response.Code)
				}
			})
		}
		synctest.Wait()
		if response := post(g, "/webhooks/shop", "new", body); response.Code != 503 || len(r.got) != 2 {
			t.Errorf("past the limit: %d, %d deliveries", response.Code, len(r.got))
		}
		began := time.Now()
		all.Wait()
		if took := time.Since(began); took != 7*time.Second {
			t.Errorf("waited %v", took)
		}
		for _, d := range r.got {
			d.done(delivery.Outcome{Verdict: conversation.Accepted}) // late, and harmless
		}
		r.silent = false
		if response := post(g, "/webhooks/shop", "new", body); response.Code != 200 {
			t.Errorf("afterwards: %d", response.Code)
		}
	})
}

func TestLengthOfAChunkedBodyIsBoundedToo(t *testing.T) {
	r := &router{}
	server := httptest.NewServer(newGateway(r, func(o *Options) { o.MaxBody = 1000 }))
	defer server.Close()
	body := bytes.Repeat([]byte("x"), 2000)
	request, _ := http.NewRequest(http.MethodPost, server.URL+"/webhooks/shop",
		struct{ *bytes.Reader }{bytes.NewReader(body)})
	request.ContentLength = -1
	request.Header.Set(cloudapi.SignatureHeader, cloudapi.Sign("new", body))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != 413 || len(r.got) != 0 {
		t.Errorf("%d", response.StatusCode)
	}
}
