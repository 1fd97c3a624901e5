package graph

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/cloudapi"
)

func TestSendTaken(t *testing.T) {
	p := newGraphAPI(t, say(200, takenBody))
	s := newSender(t, p.URL, nil)
	got := s.Send(t.Context(), outgoing("hi"))
	if want := (provider.Result{Outcome: provider.Sent, ProviderID: "wamid.sent"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	want := []string{`{"messaging_product":"whatsapp","recipient_type":"individual","to":"+15550001","biz_opaque_callback_data":"w1.a.1.15550001","type":"text","text":{"body":"hi"}}`}
	if diff := cmp.Diff(want, p.received()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r := p.last
	if r.Method != http.MethodPost || r.URL.Path != "/v26.0/900/messages" || r.Proto != "HTTP/1.1" ||
		r.Header.Get("Authorization") != "Bearer secret-token" || r.Header.Get("Content-Type") != "application/json" ||
		r.UserAgent() != "wactor" {
		t.Errorf("request %s %s %s %v", r.Method, r.URL, r.Proto, r.Header)
	}
	for _, header := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if r.Header.Get(header) != "" {
			t.Errorf("%s makes net/http repeat a POST", header)
		}
	}
}

func TestSendReadsAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   provider.Result
	}{
		"window closed": {say(400, `{"error":{"message":"to 15550001","code":131047}}`), provider.Result{
			Outcome: provider.Refused, Code: 131047, Reason: "refused: customer service window closed (code " +
				"131047, http 400): to ..."}},
		"pair rate": {say(400, `{"error":{"code":131056}}`), provider.Result{
			Outcome: provider.PairLimited, Code: 131056, Reason: "rejected: pair rate limit (code 131056, http 400)",
			RetryAfter: 6 * time.Second}},
		"token": {say(401, `{"error":{"code":190,"error_subcode":463}}`), provider.Result{
			Outcome: provider.ChannelHeld, Code: 190, Reason: "held: access token invalid or expired (code 190/463, " +
				"http 401)"}},
		"Meta's side": {say(500, `{"error":{"code":131000}}`), provider.Result{
			Outcome: provider.Unknown, Code: 131000,
			Reason: "unknown: something went wrong (code 131000, http 500)"}},
		"a proxy's page":   {say(502, `<html>`), provider.Result{Outcome: provider.Unknown, Reason: "unknown: server error (http 502)"}},
		"200 with a page":  {say(200, `<html>`), provider.Result{Outcome: provider.Sent, Reason: "taken: answer names no message id"}},
		"200 with nothing": {say(200, ``), provider.Result{Outcome: provider.Sent, Reason: "taken: answer names no message id"}},
		"202 with an id": {say(202, takenBody), provider.Result{Outcome: provider.Sent,
			ProviderID: "wamid.sent"}},
		"200, endless": {say(200, `{"x":"`+strings.Repeat("x", maxAnswer)+`","messages":[{"id":"w"}]}`),
			provider.Result{Outcome: provider.Sent, Reason: "taken: answer names no message id"}},
		"500, endless": {say(500, strings.Repeat("x", maxAnswer+1)),
			provider.Result{Outcome: provider.Unknown, Reason: "unknown: server error (http 500)"}},
		"429 with a wait": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "7")
			say(429, ``)(w, r)
		}, provider.Result{Outcome: provider.ChannelLimited, Reason: "rejected: too many requests (http 429)",
			RetryAfter: 7 * time.Second}},
		"429 with a long wait": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "2000000000")
			say(429, ``)(w, r)
		}, provider.Result{Outcome: provider.ChannelLimited, Reason: "rejected: too many requests (http 429)",
			RetryAfter: time.Hour}},
		"429 with a wait of 30,000 years": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "946080000000")
			say(429, ``)(w, r)
		}, provider.Result{Outcome: provider.ChannelLimited, Reason: "rejected: too many requests (http 429)",
			RetryAfter: time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newGraphAPI(t, test.answer)
			if got := newSender(t, p.URL, nil).Send(t.Context(), outgoing("hi")); got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
			if n := len(p.received()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 307, 308} {
		target := newGraphAPI(t, say(200, takenBody))
		p := newGraphAPI(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target.URL, status) })
		got := newSender(t, p.URL, nil).Send(t.Context(), outgoing("hi"))
		if got.Outcome != provider.ChannelHeld || len(target.received()) != 0 {
			t.Errorf("%d: %+v, target got %d requests", status, got, len(target.received()))
		}
	}
}

func TestSendRefusesWhatCannotBeSent(t *testing.T) {
	p := newGraphAPI(t, say(200, takenBody))
	s := newSender(t, p.URL, nil)
	long := outgoing(strings.Repeat("x", 4097))
	stranger := outgoing("hi")
	stranger.To = &wactorv1.User{Id: "?"}
	var options []*wactorv1.Option
	for range 1000 {
		options = append(options, &wactorv1.Option{})
	}
	many := outgoing("")
	many.Reply = &wactorv1.Reply{Content: &wactorv1.Reply_Buttons{Buttons: &wactorv1.Buttons{Options: options}}}
	for name, out := range map[string]*provider.Outgoing{"long": long, "stranger": stranger, "many problems": many} {
		got := s.Send(t.Context(), out)
		if got.Outcome != provider.Refused || got.Reason == "" || len(got.Reason) > maxReason {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if n := len(p.received()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestConfigurationThatCannotSendHolds(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no token":         func(c *Config) { c.AccessToken = "" },
		"token with space": func(c *Config) { c.AccessToken = "secret token\n" },
		"no number":        func(c *Config) { c.PhoneNumberID = "" },
		"number is a path": func(c *Config) { c.PhoneNumberID = "../me" },
		"no host":          func(c *Config) { c.BaseURL = "https:///v26.0" },
		"other scheme":     func(c *Config) { c.BaseURL = "ftp://example.com" },
		"no address":       func(c *Config) { c.BaseURL = "://" },
	} {
		s := newSender(t, "http://127.0.0.1:1", change)
		got := s.Send(t.Context(), outgoing("hi"))
		if got.Outcome != provider.ChannelHeld || strings.Contains(got.Reason, "secret") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestClosedSender(t *testing.T) {
	p := newGraphAPI(t, say(200, takenBody))
	s := newSender(t, p.URL, func(c *Config) { c.MarkRead = true })
	s.Close()
	s.Close()
	if got := s.Send(t.Context(), outgoing("hi")); got.Outcome != provider.RetryLater {
		t.Errorf("got %+v", got)
	}
	if err := s.MarkRead(t.Context(), "wamid.in"); !errors.Is(err, ErrClosed) {
		t.Errorf("MarkRead: %v", err)
	}
	if n := len(p.received()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestMarkRead(t *testing.T) {
	const plain = `{"messaging_product":"whatsapp","status":"read","message_id":"wamid.in"}`
	const typing = `{"messaging_product":"whatsapp","status":"read","message_id":"wamid.in","typing_indicator":{"type":"text"}}`
	for name, test := range map[string]struct {
		config Config
		want   []string
	}{
		"off":    {Config{}, nil},
		"mark":   {Config{MarkRead: true}, []string{plain}},
		"typing": {Config{Typing: true}, []string{typing}},
	} {
		p := newGraphAPI(t, say(200, `{"success":true}`))
		s := newSender(t, p.URL, func(c *Config) { c.MarkRead, c.Typing = test.config.MarkRead, test.config.Typing })
		if err := s.MarkRead(t.Context(), "wamid.in"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(test.want, p.received()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestMarkReadErrors(t *testing.T) {
	p := newGraphAPI(t, say(400, `{"error":{"code":131009}}`))
	var failure cloudapi.Failure
	err := newSender(t, p.URL, func(c *Config) { c.MarkRead = true }).MarkRead(t.Context(), "wamid.in")
	if !errors.As(err, &failure) || failure.Code != 131009 {
		t.Errorf("got %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newSender(t, p.URL, func(c *Config) { c.MarkRead = true }).MarkRead(cancelled, "wamid.in"); err == nil {
		t.Error("no error for a cancelled mark")
	}
	if err := newSender(t, p.URL, func(c *Config) { c.MarkRead, c.AccessToken = true, "" }).MarkRead(t.Context(),
		"wamid.in"); err == nil {
		t.Error("no error for a missing token")
	}
}

func TestSendMarksTheAnsweredMessageOnce(t *testing.T) {
	marked := make(chan string, 8)
	p := newGraphAPI(t, func(w http.ResponseWriter, r *http.Request) { say(200, takenBody)(w, r) })
	s := newSender(t, p.URL, func(c *Config) { c.MarkRead, c.Typing = true, true })
	mark := s.marks.mark
	s.marks.mark = func(ctx context.Context, id string) {
		mark(ctx, id)
		marked <- id
	}
	for range 3 {
		if got := s.Send(t.Context(), outgoing("hi")); got.Outcome != provider.Sent {
			t.Fatalf("got %+v", got)
		}
	}
	<-marked
	s.Close()
	marks := 0
	for _, body := range p.received() {
		if strings.Contains(body, `"status":"read"`) {
			marks++
			if strings.Contains(body, "typing") {
				t.Error("typing was shown with a reply")
			}
		}
	}
	if marks != 1 || len(p.received()) != 4 {
		t.Errorf("%d marks in %d requests, want 1 in 4", marks, len(p.received()))
	}
}
