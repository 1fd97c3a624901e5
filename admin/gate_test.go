package admin

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

var inside = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Who", principalOf(r.Context()).Name)
	w.WriteHeader(http.StatusTeapot)
})

// knock sends a request through a handler.
func knock(handler http.Handler, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8081/x", nil)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	return answer
}

func twoPrincipals(log *bytes.Buffer) *Gate {
	return NewGate([]Credential{
		{Principal{"admin", wactorv1.Role_ROLE_ADMIN}, "secret"},
		{Principal{"grafana", wactorv1.Role_ROLE_VIEWER}, "other"},
	}, slog.New(slog.NewTextHandler(log, nil)))
}

func TestATokenTellsThePrincipal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := twoPrincipals(&bytes.Buffer{})
		for _, c := range []struct {
			given, who string
			code       int
		}{
			{"", "", 401}, {"Bearer wrong", "", 401}, {"secret", "", 401}, {"Bearer ", "", 401},
			{"Bearer secret", "admin", http.StatusTeapot}, {"Bearer other", "grafana", http.StatusTeapot},
		} {
			answer := knock(gate.Identify(inside), "Authorization", c.given)
			if answer.Code != c.code || answer.Header().Get("Who") != c.who ||
				strings.Contains(answer.Body.String(), "secret") {
				t.Errorf("%q: %d for %q, want %d for %q", c.given, answer.Code, answer.Header().Get("Who"), c.code,
					c.who)
			}
		}
		operators := gate.Require(wactorv1.Role_ROLE_OPERATOR, inside)
		if got := knock(operators, "Authorization", "Bearer other").Code; got != http.StatusForbidden {
			t.Errorf("a viewer where an operator is needed: %d", got)
		}
	})
}

func TestWithoutCredentialsEveryoneIsAnAdministrator(t *testing.T) {
	gate := NewGate(nil, slog.New(slog.DiscardHandler))
	answer := knock(gate.Require(wactorv1.Role_ROLE_ADMIN, inside))
	if answer.Code != http.StatusTeapot || answer.Header().Get("Who") != "local" {
		t.Errorf("%d for %q", answer.Code, answer.Header().Get("Who"))
	}
}

func TestWrongTokensAreSlowedAndLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		gate := twoPrincipals(&log)
		took := func(headers ...string) time.Duration {
			began := time.Now()
			knock(gate.Identify(inside), headers...)
			return time.Since(began)
		}
		var waits []time.Duration
		for range 8 {
			waits = append(waits, took("Authorization", "Bearer wrong"))
		}
		if waits[0] != firstWait || waits[3] != 8*firstWait || waits[7] != longestWait {
			t.Errorf("answers took %v", waits)
		}
		if missing, right := took(), took("Authorization", "Bearer secret"); missing+right != 0 {
			t.Errorf("no token took %v, the right one %v", missing, right)
		}
		if n := strings.Count(log.String(), "wrong admin token"); n != 1 || !strings.Contains(log.String(),
			"192.0.2.1") {
			t.Errorf("%d lines: %s", n, log.String())
		}
		var waiting sync.WaitGroup
		for range maxWaiting {
			waiting.Go(func() { took("Authorization", "Bearer wrong") })
		}
		synctest.Wait()
		if got := knock(gate.Identify(inside), "Authorization",
			"Bearer wrong").Code; got != http.StatusTooManyRequests {
			t.Errorf("one wrong token more than may wait: %d", got)
		}
		waiting.Wait()
	})
}

func TestAPageOfAnotherSiteIsRejected(t *testing.T) {
	gate := NewGate(nil, slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		headers []string
		want    int
	}{
		{nil, http.StatusTeapot},
		{[]string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{[]string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
		{[]string{"Sec-Fetch-Site", "same-origin", "Origin", "http://127.0.0.1:8081"}, http.StatusTeapot},
		{[]string{"Sec-Fetch-Site", "none"}, http.StatusTeapot},
		{[]string{"Origin", "http://evil.example"}, http.StatusForbidden},
		{[]string{"Origin", "http://127.0.0.1:8080"}, http.StatusForbidden},
		{[]string{"Origin", "null"}, http.StatusForbidden},
	} {
		answer := knock(gate.Open(inside), c.headers...)
		if answer.Code != c.want {
			t.Errorf("%q: %d, want %d", c.headers, answer.Code, c.want)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Cross-Origin-Resource-Policy": "same-origin"} {
			if got := answer.Header().Get(name); got != want {
				t.Errorf("%q: %s is %q", c.headers, name, got)
			}
		}
	}
}
