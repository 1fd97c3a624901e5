package simulate

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/wactor/wactor/internal/http1"
)

// TestAnswersThatWereNotAskedForAreDropped: a bot that does not read the body of a webhook takes it
// for a second request, and answers that too. The answer is not the next webhook's.
func TestAnswersThatWereNotAskedForAreDropped(t *testing.T) {
	if !http1.CanPeek {
		t.Skip("this system can't be asked what came in")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	strayed := make(chan struct{}, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				for {
					request, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, request.Body)
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					time.Sleep(10 * time.Millisecond)
					_, _ = io.WriteString(conn, "HTTP/1.1 501 Unsupported method\r\nContent-Length: 0\r\n\r\n")
					strayed <- struct{}{}
				}
			}()
		}
	}()
	c := newConnections([]*url.URL{{Scheme: "http", Host: listener.Addr().String(), Path: "/"}})
	defer c.close()
	for range 3 {
		status, err := c.post(context.Background(), []byte("{}"), "sha256=x")
		if err != nil || status != http.StatusOK {
			t.Errorf("answered %d, %v", status, err)
		}
		<-strayed
	}
}
