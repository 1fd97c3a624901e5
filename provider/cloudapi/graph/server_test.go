package graph

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const takenBody = `{"messaging_product":"whatsapp","contacts":[{"input":"+15550001","wa_id":"15550001"}],"messages":[{"id":"wamid.sent"}]}`

// graphAPI is a Graph API on 127.0.0.1 that answers as set and keeps what it got.
type graphAPI struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
	last   *http.Request
}

func newGraphAPI(t *testing.T, answer http.HandlerFunc) *graphAPI {
	t.Helper()
	p := new(graphAPI)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.bodies, p.last = append(p.bodies, string(body)), r
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *graphAPI) received() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.bodies...)
}

func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// newSender makes a Sender to this address with a change to its configuration.
func newSender(t *testing.T, address string, change func(*Config)) *Sender {
	t.Helper()
	config := Config{BaseURL: address + "/v26.0", PhoneNumberID: "900", AccessToken: "secret-token"}
	if change != nil {
		change(&config)
	}
	s := New(config)
	t.Cleanup(s.Close)
	return s
}

func outgoing(text string) *provider.Outgoing {
	return &provider.Outgoing{
		To:      &wactorv1.User{Id: "15550001", WaId: "15550001", UserId: "US.1"},
		ReplyID: "w1.a.1.15550001",
		Reply:   &wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: text}},
		Answers: "wamid.in",
	}
}

// rawServer hands each connection to serve and counts the requests that arrive whole. It is for
// servers that break connections at a chosen moment.
type rawServer struct {
	address  string
	requests atomic.Int32
	conns    atomic.Int32
}

func newRawServer(t *testing.T, serve func(s *rawServer, conn net.Conn)) *rawServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{address: "http://" + listener.Addr().String()}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.conns.Add(1)
			done.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
				serve(s, conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		done.Wait()
	})
	return s
}

// take reads one whole request.
func (s *rawServer) take(reader *bufio.Reader) bool {
	request, err := http.ReadRequest(reader)
	if err != nil {
		return false
	}
	if _, err := io.Copy(io.Discard, request.Body); err != nil {
		return false
	}
	s.requests.Add(1)
	return true
}

// answerWith is a whole HTTP answer as bytes.
func answerWith(status, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}
