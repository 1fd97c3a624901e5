package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/proto/wactor/v1/wactorv1connect"
	"github.com/wactor/wactor/provider/cloudapi"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

const player = "4915100000001"

// stage is a process of `wactor serve` between a Graph API and a bot that the test plays.
type stage struct {
	*server
	t      *testing.T
	number emulator.Number
	client wactorv1connect.AdminServiceClient
	// graphAnswer, where set, answers a request instead of taking it; an empty body breaks the
	// connection.
	graphAnswer func(sent) (status int, body string)

	mu    sync.Mutex
	sent  []sent
	turns []turn
	next  int
}

// sent is one request to the Graph API.
type sent struct {
	at        time.Time
	To        string
	Recipient string
	ReplyID   string                 `json:"biz_opaque_callback_data"`
	Status    string                 // "read" for a mark
	Message   string                 `json:"message_id"`
	Typing    *struct{ Type string } `json:"typing_indicator"`
	Text      struct{ Body string }
	Type      string
	id        string
}

// turn is what a bot is asked.
type turn struct {
	at       time.Time
	closed   <-chan struct{} // when its request is
	TurnID   string
	Attempt  int
	State    json.RawMessage
	Messages []struct {
		ID, Type, Text, Timestamp, Received string
		Late                                bool
	}
	Timer           *struct{ Name string }
	WindowOpenUntil string
}

// texts are those of a turn's messages.
func (t turn) texts() string {
	var out []string
	for _, m := range t.Messages {
		out = append(out, m.Text)
	}
	return strings.Join(out, " ")
}

// echo answers with the texts of a turn, or the name of its timer.
func echo(t turn) string {
	said := t.texts()
	if t.Timer != nil {
		said = "timer " + t.Timer.Name
	}
	return fmt.Sprintf(`{"replies":[{"text":%q}]}`, "you said "+said)
}

// play starts a process whose bot has these policies (the inside of a YAML mapping, may be empty)
// and answers as play says: an answer's JSON, or an HTTP status.
func play(t *testing.T, policies string, answer func(turn) string, channel ...string) *stage {
	t.Helper()
	t.Parallel()
	s := &stage{t: t}
	url := s.bot(answer)
	if policies != "" {
		policies = ", " + policies
	}
	s.server = newServerOf(t, fmt.Sprintf("{ http: { url: %q }%s }", url, policies), channel...)
	s.open()
	s.start(t)
	return s
}

// bot starts the bot, which answers as play says, and returns its address.
func (s *stage) bot(answer func(turn) string) (url string) {
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one := turn{at: time.Now(), closed: r.Context().Done()}
		if err := json.NewDecoder(r.Body).Decode(&one); err != nil {
			s.t.Error(err)
		}
		io.Copy(io.Discard, r.Body) // only at its end does net/http notice that the request is closed
		s.mu.Lock()
		s.turns = append(s.turns, one)
		s.mu.Unlock()
		said := answer(one)
		if status := 0; len(said) == 3 {
			fmt.Sscan(said, &status)
			w.WriteHeader(status)
			return
		}
		io.WriteString(w, said)
	}))
	s.t.Cleanup(bot.Close)
	return bot.URL
}

// open starts the Graph API of a stage with a server.
func (s *stage) open() {
	s.t.Helper()
	s.number = emulator.Number{PhoneNumberID: "100000000000001", AppSecret: "simulate-app-secret"}
	listener, err := net.Listen("tcp", s.graph)
	if err != nil {
		s.t.Fatal(err)
	}
	graph := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(s.take)}}
	graph.Start()
	s.t.Cleanup(graph.Close)
	s.client = wactorv1connect.NewAdminServiceClient(http.DefaultClient, "http://"+s.admin)
}

// take plays the Graph API.
func (s *stage) take(w http.ResponseWriter, r *http.Request) {
	one := sent{at: time.Now()}
	if err := json.NewDecoder(r.Body).Decode(&one); err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	one.id = fmt.Sprint("wamid.out", len(s.sent)+1)
	s.sent = append(s.sent, one)
	graphAnswer := s.graphAnswer
	s.mu.Unlock()
	if graphAnswer != nil {
		if status, body := graphAnswer(one); status != 0 {
			if body == "" {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(status)
			io.WriteString(w, body)
			return
		}
	}
	fmt.Fprintf(w, `{"messaging_product":"whatsapp","messages":[{"id":%q}]}`, one.id)
}

// post posts a webhook and wants it to be answered 200.
func (s *stage) post(body []byte) {
	s.t.Helper()
	request, err := http.NewRequest(http.MethodPost, "http://"+s.http+"/webhooks/shop", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set(cloudapi.SignatureHeader, s.number.Sign(body))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		s.t.Fatalf("a webhook was answered %d", response.StatusCode)
	}
}

// write posts a message of the player's; what is left out of it is filled in.
func (s *stage) write(m emulator.Message) (id string) {
	s.t.Helper()
	s.next++
	if m.User == "" && m.UserID == "" {
		m.User = player
	}
	if m.SentMs == 0 {
		m.SentMs = time.Now().UnixMilli()
	}
	m.ID = fmt.Sprint("wamid.in", s.next)
	s.post(s.number.Messages(m))
	return m.ID
}

func (s *stage) say(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		s.write(emulator.Message{Text: text})
	}
}

// status tells what became of a reply.
func (s *stage) status(one sent, word string) {
	s.t.Helper()
	s.post(s.number.Statuses(emulator.Status{ID: one.id, ReplyID: one.ReplyID, User: player, Status: word,
		AtMs: time.Now().UnixMilli()}))
}

// await waits until a condition holds.
func (s *stage) await(what string, holds func() bool) {
	s.t.Helper()
	for begin := time.Now(); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			s.t.Fatalf("%s: not within a minute; replies %q", what, s.replies())
		}
	}
}

// replies are the texts that the Graph API got, in their order; what is no text by its type.
func (s *stage) replies() (texts []string) {
	for _, one := range s.messages() {
		if one.Type == "text" {
			texts = append(texts, one.Text.Body)
		} else {
			texts = append(texts, one.Type)
		}
	}
	return texts
}

// messages are the requests to the Graph API that are no marks.
func (s *stage) messages() []sent { return s.requests(func(one sent) bool { return !isMark(one) }) }

func isMark(one sent) bool { return one.Status != "" }

func (s *stage) requests(which func(sent) bool) (out []sent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.sent {
		if which(one) {
			out = append(out, one)
		}
	}
	return out
}

// want waits for these replies, and no others before them.
func (s *stage) want(texts ...string) {
	s.t.Helper()
	s.await("replies", func() bool { return len(s.replies()) >= len(texts) })
	if got := s.replies(); !slices.Equal(got, texts) {
		s.t.Fatalf("replies %q, want %q", got, texts)
	}
}

// asked are the turns that the bot was asked.
func (s *stage) asked() []turn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.turns)
}

// letters are the reasons of a user's dead letters.
func (s *stage) letters(user string) (reasons []string) {
	s.t.Helper()
	response, err := s.client.DeadLetters(context.Background(),
		connect.NewRequest(&wactorv1.DeadLettersRequest{User: user}))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range response.Msg.Conversations {
		for _, letter := range c.Letters {
			reasons = append(reasons, letter.Reason)
		}
	}
	return reasons
}

// wantLetters waits for dead letters with these reasons.
func (s *stage) wantLetters(reasons ...string) {
	s.t.Helper()
	s.await("dead letters", func() bool { return len(s.letters(player)) >= len(reasons) })
	if got := s.letters(player); !slices.Equal(got, reasons) {
		s.t.Errorf("dead letters %q, want %q", got, reasons)
	}
}

// journal is the player's timeline, each entry by its kind and reason.
func (s *stage) journal(user string) (lines []string) {
	s.t.Helper()
	response, err := s.client.Trace(context.Background(), connect.NewRequest(&wactorv1.TraceRequest{User: user}))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range response.Msg.Conversations {
		if len(c.Violations) > 0 {
			s.t.Error(c.Violations)
		}
		for _, e := range c.Entries {
			lines = append(lines, strings.TrimSpace(kindName(e.Kind)+" "+e.Reason))
		}
	}
	return lines
}
