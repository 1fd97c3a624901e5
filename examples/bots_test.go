// Package examples tests the example bots as programs of their own, through the client that a node
// calls bots with.
package examples

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wactor/wactor/bot"
	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// secret is long enough to be one, and holds what a shell would take apart.
const secret = "a secret & 'quotes' é"

// counters are the counter in other languages.
var counters = []struct{ name, program, script string }{
	{"node", "node", "node-bot/bot.mjs"},
	{"python", "python3", "python-bot/bot.py"},
}

func forEachCounter(t *testing.T, test func(t *testing.T, url string)) {
	for _, counter := range counters {
		t.Run(counter.name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t, counter.program, counter.script))
		})
	}
}

// start runs a bot until the test ends and returns its address.
func start(t *testing.T, program, script string) (url string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed: %s is not tested", program, script)
	}
	// Reading it tells go test to run again when it has changed.
	if _, err := os.ReadFile(script); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), program, script)
	command.Env = append(os.Environ(), "PORT=0", "BOT_SECRET="+secret)
	command.Stderr = t.Output()
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait() // it was killed
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("%s ended without an address: %v", script, err)
	}
	url, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !found {
		t.Fatalf("%s said %q", script, line)
	}
	return url
}

func connect(t *testing.T, url, secret string) *bot.HTTP {
	t.Helper()
	b, err := bot.NewHTTP(bot.HTTPConfig{URL: url, Secret: secret, Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// turnOf returns a turn over texts.
func turnOf(id, state string, texts ...string) *conversation.Turn {
	turn := &conversation.Turn{
		ID: id, Attempt: 1, Conversation: conversation.ID{Channel: "shop", User: "1"}, User: &wactorv1.User{Id: "1",
			WaId: "1"},
	}
	if state != "" {
		turn.State = json.RawMessage(state)
	}
	for _, text := range texts {
		turn.Messages = append(turn.Messages, &wactorv1.Message{Id: "wamid." + id, Type: "text", Text: text})
	}
	return turn
}

// texts returns the state and the replies of an answer.
func texts(answer *conversation.Answer) (state string, replies []string) {
	for _, reply := range answer.Replies {
		replies = append(replies, reply.GetText())
	}
	return string(answer.State), replies
}

func TestCounts(t *testing.T) {
	forEachCounter(t, func(t *testing.T, url string) {
		b, state := connect(t, url, secret), ""
		for i, step := range []struct {
			texts []string
			state string
			want  []string
		}{
			{[]string{"hello"}, `{"n":1}`, []string{"step 1: hello"}},
			{[]string{`"quoted" <b>&</b> ¡hola! 👋`}, `{"n":2}`, []string{`step 2: "quoted" <b>&</b> ¡hola! 👋`}},
			{[]string{"a", "b"}, `{"n":4}`, []string{"step 3: a", "step 4: b"}},
			{nil, `{"n":4}`, nil}, // a timer's turn
		} {
			answer, err := b.Turn(t.Context(), turnOf(strings.Repeat("T", i+1), state, step.texts...))
			if err != nil {
				t.Fatalf("turn %d: %v", i+1, err)
			}
			var replies []string
			state, replies = texts(answer)
			if diff := cmp.Diff(step.want, replies); diff != "" || state != step.state {
				t.Errorf("turn %d: state %s, want %s; replies (-want +got):\n%s", i+1, state, step.state, diff)
			}
		}
	})
}

// TestRepeats sends turns again under their Idempotency-Key. The state differs in the repeats,
// which no node does, so that an answer that was computed again would show.
func TestRepeats(t *testing.T) {
	forEachCounter(t, func(t *testing.T, url string) {
		b := connect(t, url, secret)
		var repeats sync.WaitGroup
		for _, state := range []string{`{"n":10}`, `{"n":20}`, `{"n":30}`} {
			repeats.Go(func() {
				answer, err := b.Turn(t.Context(), turnOf("once", state, "hello"))
				if err != nil {
					t.Error(err)
					return
				}
				again, err := b.Turn(t.Context(), turnOf("once", `{"n":40}`, "hello"))
				if err != nil {
					t.Error(err)
					return
				}
				if string(answer.State) != string(again.State) {
					t.Errorf("answers of one turn differ: %s and %s", answer.State, again.State)
				}
			})
		}
		repeats.Wait()
		other, err := b.Turn(t.Context(), turnOf("another", `{"n":40}`, "hello"))
		if err != nil {
			t.Fatal(err)
		}
		if state, _ := texts(other); state != `{"n":41}` {
			t.Errorf("another turn got the state %s", state)
		}
	})
}

func TestWrongSecretIsRefused(t *testing.T) {
	forEachCounter(t, func(t *testing.T, url string) {
		for name, wrong := range map[string]string{"another secret": "other", "no signature": ""} {
			_, err := connect(t, url, wrong).Turn(t.Context(), turnOf("1", "", "hello"))
			var failed *conversation.BotError
			if !errors.As(err, &failed) || failed.Retryable || failed.Reason != "http 401" {
				t.Errorf("%s: %v, want http 401", name, err)
			}
		}
	})
}

// TestSignatures posts what bot.HTTP never would: every header that bot.Verify refuses, the
// programs refuse too.
func TestSignatures(t *testing.T) {
	body := []byte(`{"turnId":"1","state":{},"messages":[{"text":"hello"}]}`)
	now := time.Now()
	good := bot.Sign(secret, body, now)
	_, sum, _ := strings.Cut(good, ",v1=")
	cases := map[string]struct {
		header string
		body   []byte
		want   int
	}{
		"good":            {good, body, http.StatusOK},
		"a later scheme":  {"v2=abc, " + good, body, http.StatusOK},
		"one of two fits": {strings.Replace(good, ",v1=", ",v1=00,v1=", 1), body, http.StatusOK},
		"a minute old":    {bot.Sign(secret, body, now.Add(-time.Minute)), body, http.StatusOK},
		"ten minutes old": {bot.Sign(secret, body, now.Add(-10*time.Minute)), body, http.StatusUnauthorized},
		"from the future": {bot.Sign(secret, body, now.Add(10*time.Minute)), body, http.StatusUnauthorized},
		"another body":    {good, bytes.Replace(body, []byte("hello"), []byte("HELLO"), 1), http.StatusUnauthorized},
		"two times":       {good + ",t=1", body, http.StatusUnauthorized},
		"no time":         {"v1=" + sum, body, http.StatusUnauthorized},
		"no number":       {"t=1e9,v1=" + sum, body, http.StatusUnauthorized},
		"a long number":   {"t=" + strings.Repeat("9", 5000) + ",v1=" + sum, body, http.StatusUnauthorized},
		"cut off":         {good[:len(good)-2], body, http.StatusUnauthorized},
		"no hex":          {good[:len(good)-2] + "zz", body, http.StatusUnauthorized},
		"words":           {"é=ü", body, http.StatusUnauthorized},
		"none":            {"", body, http.StatusUnauthorized},
	}
	forEachCounter(t, func(t *testing.T, url string) {
		for name, c := range cases {
			if got := post(t, url, c.header, c.body); got != c.want {
				t.Errorf("%s: status %d, want %d", name, got, c.want)
			}
			if verified := bot.Verify(secret, c.header, c.body, now, 0) == nil; verified != (c.want == http.StatusOK) {
				t.Errorf("%s: bot.Verify says %t", name, verified)
			}
		}
	})
}

// TestBrokenRequests posts signed nonsense: the program says 500, which is retried, and goes on.
func TestBrokenRequests(t *testing.T) {
	forEachCounter(t, func(t *testing.T, url string) {
		for _, body := range []string{"", "{", "[]", `{"state":{}}`} {
			if got := post(t, url, bot.Sign(secret, []byte(body), time.Now()),
				[]byte(body)); got != http.StatusInternalServerError {
				t.Errorf("%q: status %d", body, got)
			}
		}
		if got := post(t, strings.Replace(url, "/turn", "/other", 1), "", nil); got != http.StatusNotFound {
			t.Errorf("another path: status %d", got)
		}
		if _, err := connect(t, url, secret).Turn(t.Context(), turnOf("after", "", "hello")); err != nil {
			t.Error(err)
		}
	})
}

func post(t *testing.T, url, signature string, body []byte) (status int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Idempotency-Key", t.Name()+signature+string(body)[:min(len(body), 3)])
	if signature != "" {
		request.Header.Set(bot.SignatureHeader, signature)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// TestNoSecretNoStart shows that a bot that could check no signature does not run at all.
func TestNoSecretNoStart(t *testing.T) {
	for _, counter := range counters {
		if _, err := exec.LookPath(counter.program); err != nil {
			t.Logf("%s is not installed: %s is not tested", counter.program, counter.script)
			continue
		}
		command := exec.CommandContext(t.Context(), counter.program, counter.script)
		command.Env = append(os.Environ(), "PORT=0", "BOT_SECRET=")
		output, err := command.CombinedOutput()
		if err == nil || !strings.Contains(string(output), "BOT_SECRET") {
			t.Errorf("%s: %v, output %q", counter.script, err, output)
		}
	}
}
