package http1

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// BenchmarkPost compares one POST over a kept connection with net/http's transport. Both times have
// the server's part, which is the same.
func BenchmarkPost(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"messages":[{"id":"wamid.x"}]}`)
	}))
	defer server.Close()
	body := bytes.Repeat([]byte("x"), 400)
	to, err := url.Parse(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("http1", func(b *testing.B) {
		c, err := NewServer(to).Dial(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		head := []byte("POST / HTTP/1.1\r\nHost: " + to.Host + "\r\nContent-Type: application/json\r\nContent-Length: ")
		b.ReportAllocs()
		for b.Loop() {
			if a, keep, err := c.Exchange(body, head); err != nil || !keep || a.Status != http.StatusOK {
				b.Fatal(a, keep, err)
			}
		}
	})
	b.Run("net/http", func(b *testing.B) {
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		b.ReportAllocs()
		for b.Loop() {
			request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.URL, bytes.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			response, err := transport.RoundTrip(request)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
	})
}
