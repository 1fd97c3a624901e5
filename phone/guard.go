package phone

import (
	"net"
	"net/http"
	"strings"
)

// policy lets the page load nothing but what is served here, and pictures that a bot's reply names.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; media-src 'self'; " +
	"connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard keeps other sites in the same browser out. They could post messages in the user's name
// (refused by origin), or read and write under a name of their own that points here (DNS rebinding;
// refused by host).
func guard(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "only the phone's own page may send", http.StatusForbidden)
	}))
	next = origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isAddress(r.Host) {
			http.Error(w, "open the phone as localhost or by its IP address", http.StatusForbidden)
			return
		}
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// isAddress tells names that no stranger can point here: localhost and IP addresses.
func isAddress(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host) != nil
}
