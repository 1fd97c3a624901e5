package admin

import (
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/internal/pause"
	"github.com/wactor/wactor/internal/ratelog"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Gate lets requests to listen.admin in. It finds the principal of each, slows down who guesses
// tokens, and turns away what a page of another site makes a browser send.
type Gate struct {
	credentials atomic.Pointer[[]Credential]
	log         *ratelog.Logger
	guesses     *guesses
}

// NewGate returns a gate for some credentials; with none of them everyone is an administrator.
func NewGate(credentials []Credential, logger *slog.Logger) *Gate {
	g := &Gate{log: ratelog.New(logger, time.Now),
		guesses: &guesses{waiting: make(chan struct{}, maxWaiting), wrong: map[string]guess{}}}
	g.SetCredentials(credentials)
	return g
}

// SetCredentials replaces the credentials: the former ones let no call in that begins from now on.
func (g *Gate) SetCredentials(credentials []Credential) { g.credentials.Store(&credentials) }

// AsksForToken reports whether there are credentials to show.
func (g *Gate) AsksForToken() bool { return len(*g.credentials.Load()) > 0 }

// Open adds to every answer what keeps a browser from using it elsewhere, and rejects requests of
// other sites. It asks for no token: health checks have none.
func (g *Gate) Open(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cache-Control", "no-store")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		if foreign(r) {
			http.Error(w, "requests of other sites are rejected", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Require lets in who shows a token of a principal with a role.
func (g *Gate) Require(role wactorv1.Role, next http.Handler) http.Handler {
	return g.Identify(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if who := principalOf(r.Context()); !who.May(role) {
			http.Error(w, denied(who, r.URL.Path, role), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// Identify lets in who shows a right token, with the principal in the request's context.
func (g *Gate) Identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := local
		if credentials := *g.credentials.Load(); len(credentials) > 0 {
			token, given := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			known := false
			if who, known = identify(credentials, token); !given || !known {
				g.turnAway(w, r, given)
				return
			}
		}
		next.ServeHTTP(w, r.WithContext(withPrincipal(r.Context(), who)))
	})
}

// turnAway answers a missing token at once, and a wrong one the later the more often it happened.
func (g *Gate) turnAway(w http.ResponseWriter, r *http.Request, given bool) {
	if given {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			host = r.RemoteAddr
		}
		g.log.Warn("wrong token", "a call with a wrong admin token was rejected",
			func() []any { return []any{"from", host, "path", r.URL.Path} })
		if !g.guesses.wait(r, host) {
			w.Header().Set("Retry-After", "60")
			http.Error(w, "too many calls with a wrong token", http.StatusTooManyRequests)
			return
		}
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="wactor"`)
	http.Error(w, "the admin token is missing or wrong", http.StatusUnauthorized)
}

// foreign reports whether a browser sends a request for a page of another site. Other programs set
// neither header.
func foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	at, err := url.Parse(origin)
	return err != nil || at.Host != r.Host
}

const (
	// firstWait is how long the answer to an address's first wrong token takes; each further one
	// doubles it, up to longestWait.
	firstWait   = 100 * time.Millisecond
	longestWait = 5 * time.Second
	// maxWaiting bounds the answers that wait; one more is answered at once, by 429.
	maxWaiting = 64
	// maxGuessers bounds the addresses that are remembered, for forgetAfter each.
	maxGuessers = 1000
	forgetAfter = 10 * time.Minute
)

// guesses counts wrong tokens by address.
type guesses struct {
	waiting chan struct{}

	mu    sync.Mutex
	wrong map[string]guess
}

type guess struct {
	times int
	last  time.Time
}

// wait delays the answer to a wrong token; false where too many wait.
func (g *guesses) wait(r *http.Request, host string) bool {
	select {
	case g.waiting <- struct{}{}:
		defer func() { <-g.waiting }()
	default:
		return false
	}
	pause.For(r.Context(), g.count(host, time.Now()))
	return true
}

// count notes a wrong token and returns how long its answer should wait.
func (g *guesses) count(host string, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.wrong) >= maxGuessers {
		for known, one := range g.wrong {
			if now.Sub(one.last) > forgetAfter {
				delete(g.wrong, known)
			}
		}
	}
	one := g.wrong[host]
	if now.Sub(one.last) > forgetAfter {
		one.times = 0
	}
	one.times++
	one.last = now
	if len(g.wrong) < maxGuessers || g.wrong[host].times > 0 {
		g.wrong[host] = one
	}
	return min(firstWait<<min(one.times-1, 10), longestWait)
}
