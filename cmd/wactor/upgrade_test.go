package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/wactor/wactor/internal/freeport"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// What an older version wrote is read by each later one. testdata/old holds the data of a single
// node and of a cluster of three, both killed in the middle of everything: conversations with
// messages that wait, replies that wait or are in doubt, timers, dead letters, and several names.
// To write them anew, as a later version does it, build that version and say
//
//	WACTOR_OLD=/path/to/wactor go test ./cmd/wactor -run OldData -count=1
//
// which is done only where that version wrote something that is in them nowhere yet: an archive
// that was written is never replaced, but gets another one beside it.

// The users of old data. Each is in another state.
const (
	knownUser   = "4915100000001" // had two turns
	waitingUser = "4915100000002" // has one message in a turn, and one that waits for it
	sendingUser = "4915100000003" // has a reply that the provider did not take yet
	inDoubtUser = "4915100000004" // has a reply of which is not known whether the provider took it
	letterUser  = "4915100000005" // has a dead letter
	timerUser   = "4915100000006" // has a timer
	namedUser   = "4915100000007" // is known by a phone and by namedID
	namedID     = "DE.named"
	mergedUser  = "4915100000008" // was two conversations, the other one of mergedID
	mergedID    = "DE.merged"
)

// oldNodes are the numbers of nodes of which there is data.
var oldNodes = map[string]int{"single": 1, "cluster": 3}

// past is a stage of one node or several whose data is old.
type past struct {
	*stage
	nodes []*server
	// later says that the old version is gone, and the time that it waited for over.
	later atomic.Bool
}

// newPast makes a stage with nodes that do not run yet.
func newPast(t *testing.T, nodes int) *past {
	t.Helper()
	t.Parallel()
	p := &past{stage: &stage{t: t}}
	bot := fmt.Sprintf("{ http: { url: %q } }", p.bot(p.answer))
	gossip, graph := make([]string, nodes), freeport.Address(t)
	for i := range gossip {
		gossip[i] = freeport.Address(t)
	}
	for i := range nodes {
		// Message ids are remembered for as long as possible: what an archive says of them holds
		// for 90 days. After that a repeated message is too old to be run, which is no less true.
		more := "dedup_window: 90d\nstale_after: 89d\n"
		if nodes > 1 {
			more += fmt.Sprintf("cluster: { gossip: %q, rpc: %q, join: [%s], expect: %d, shards: 4 }\n", gossip[i],
				freeport.Address(t), `"`+strings.Join(gossip, `", "`)+`"`, nodes)
		}
		s := &server{http: freeport.Address(t), admin: freeport.Address(t), graph: graph}
		s.configure(t, fmt.Sprintf("node-%d", i+1), more, bot, "window: 0s", "pace: off", p.inDoubt())
		p.nodes = append(p.nodes, s)
	}
	p.server = p.nodes[0]
	p.open()
	p.graphAnswer = p.graphSays
	return p
}

// inDoubt is how long a reply stays in doubt: in the past, until its end.
func (p *past) inDoubt() string {
	if os.Getenv(oldVariable) != "" {
		return "in_doubt: { wait: 1h, max: 1h }"
	}
	return "in_doubt: { wait: 1s, max: 1s }"
}

// answer is that of the bot.
func (p *past) answer(one turn) string {
	switch texts := one.texts(); {
	case one.Timer != nil:
		return echo(one)
	case texts == "hang" && !p.later.Load():
		<-one.closed
		return "500"
	case texts == "bad" && !p.later.Load():
		return "400"
	case texts == "wake me":
		return `{"timers":[{"name":"nudge","after":"20s"}]}`
	}
	return count(one)
}

// graphSays is what the provider answers.
func (p *past) graphSays(one sent) (int, string) {
	switch {
	case p.later.Load():
	case strings.HasSuffix(one.Text.Body, "send later"):
		return 400, `{"error":{"code":131056,"message":"pair rate limit"}}`
	case strings.HasSuffix(one.Text.Body, "break"):
		return 200, "" // breaks the connection
	}
	return 0, ""
}

func (p *past) startAll() {
	p.t.Helper()
	for _, node := range p.nodes {
		node.launch(p.t)
	}
	for _, node := range p.nodes {
		node.awaitReady(p.t)
	}
}

// dataOf is a node's data folder.
func dataOf(node *server) string { return filepath.Join(filepath.Dir(node.config), "data") }

// oldVariable names the program that writes old data.
const oldVariable = "WACTOR_OLD"

// TestWriteOldData writes the archives of a program, and replaces none.
func TestWriteOldData(t *testing.T) {
	program := os.Getenv(oldVariable)
	if program == "" {
		t.Skip(oldVariable + " names no program that should write data")
	}
	for kind, nodes := range oldNodes {
		t.Run(kind, func(t *testing.T) {
			p := newPast(t, nodes)
			for _, node := range p.nodes {
				node.program = program
			}
			p.startAll()
			p.live()
			for _, node := range p.nodes {
				node.kill()
			}
			for i, node := range p.nodes {
				if err := pack(dataOf(node), archive(kind, i)); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// live lets everything happen that old data has to hold.
func (p *past) live() {
	p.t.Helper()
	p.write(emulator.Message{User: knownUser, Text: "a"})
	p.want("I a")
	p.write(emulator.Message{User: knownUser, Text: "b"})
	p.want("I a", "II b")
	for _, one := range p.messages() {
		p.status(one, "delivered")
	}
	p.write(emulator.Message{User: namedUser, UserID: namedID, Text: "a"})
	p.write(emulator.Message{User: mergedUser, Text: "b"})
	p.write(emulator.Message{UserID: mergedID, Text: "c"})
	p.await("replies", func() bool { return len(p.replies()) == 5 })
	p.write(emulator.Message{User: mergedUser, UserID: mergedID, Text: "both"})
	p.await("one conversation of two", func() bool { return slices.Contains(p.replies(), "II both") })
	p.await("its alias", func() bool { return slices.Equal(p.journal(mergedID), p.journal(mergedUser)) })
	p.write(emulator.Message{User: letterUser, Text: "bad"})
	p.await("a dead letter", func() bool { return len(p.letters(letterUser)) == 1 })
	p.write(emulator.Message{User: sendingUser, Text: "send later"})
	p.write(emulator.Message{User: inDoubtUser, Text: "break"})
	p.await("two sends", func() bool { return len(p.replies()) >= 8 })
	p.await("a reply in doubt", func() bool {
		return slices.ContainsFunc(p.journal(inDoubtUser), isInDoubt)
	})
	p.write(emulator.Message{User: timerUser, Text: "wake me"})
	p.write(emulator.Message{User: waitingUser, Text: "hang"})
	p.write(emulator.Message{User: waitingUser, Text: "next"})
	p.await("turns", func() bool {
		return slices.ContainsFunc(p.asked(), func(one turn) bool { return one.texts() == "hang" }) &&
			slices.ContainsFunc(p.asked(), func(one turn) bool { return one.texts() == "wake me" })
	})
	p.await("the timer", func() bool { return slices.Equal(p.journal(timerUser), []string{"accepted", "turn"}) })
}

func isInDoubt(line string) bool { return strings.HasPrefix(line, "in doubt") }

// TestOldDataIsOpened opens what older versions wrote, and goes on with all that was unfinished.
func TestOldDataIsOpened(t *testing.T) {
	for kind, nodes := range oldNodes {
		t.Run(kind, func(t *testing.T) {
			p := newPast(t, nodes)
			for i, node := range p.nodes {
				if err := unpack(archive(kind, i), dataOf(node)); err != nil {
					t.Fatal(err)
				}
			}
			p.later.Store(true)
			p.next = 100 // the messages of the past were fewer
			p.startAll()
			p.goOn()
		})
	}
}

// goOn finds everything of the past, finished.
func (p *past) goOn() {
	p.t.Helper()
	p.await("what was unfinished", func() bool { return len(p.replies()) >= 5 })
	want := []string{"I break", "I hang", "I send later", "II next", "you said timer nudge"}
	if got := slices.Sorted(slices.Values(p.replies())); !slices.Equal(got, want) {
		p.t.Fatalf("replies %q, want %q", got, want)
	}
	if got := p.letters(letterUser); len(got) != 1 {
		p.t.Errorf("dead letters %q, want one", got)
	}
	retry := connect.NewRequest(&wactorv1.RetryRequest{User: letterUser, Seq: 1})
	if _, err := p.client.Retry(p.t.Context(), retry); err != nil {
		p.t.Error(err)
	}
	p.wantMore(want, "I bad")
	want = append(want, "I bad")

	// A message of the past that comes again is known, and a new one finds the state.
	turns := len(p.asked())
	again := emulator.Message{User: knownUser, ID: "wamid.in1", Text: "a", SentMs: p.written().UnixMilli()}
	p.post(p.number.Messages(again))
	for _, c := range []struct {
		message emulator.Message
		reply   string
	}{
		{emulator.Message{User: knownUser, Text: "c"}, "III c"},
		{emulator.Message{UserID: namedID, Text: "d"}, "II d"},
		{emulator.Message{UserID: mergedID, Text: "e"}, "III e"},
		{emulator.Message{User: waitingUser, Text: "f"}, "III f"},
	} {
		p.write(c.message)
		p.wantMore(want, c.reply)
		want = append(want, c.reply)
	}
	if more := len(p.asked()) - turns; more != 4 {
		p.t.Errorf("%d turns of 4 new messages", more)
	}
	for _, user := range []string{knownUser, waitingUser, sendingUser, inDoubtUser, letterUser, timerUser, namedUser,
		mergedUser} {
		if lines := p.journal(user); len(lines) == 0 { // which fails where a trace has violations
			p.t.Errorf("%s has no journal", user)
		}
	}
}

// wantMore waits for one more reply.
func (p *past) wantMore(before []string, reply string) {
	p.t.Helper()
	p.await(reply, func() bool { return len(p.replies()) > len(before) })
	if got := p.replies(); got[len(got)-1] != reply || len(got) != len(before)+1 {
		p.t.Fatalf("replies %q, want %q at last", got, reply)
	}
}

// written is when the first message of the past was sent, by its journal.
func (p *past) written() time.Time {
	p.t.Helper()
	response, err := p.client.Trace(p.t.Context(), connect.NewRequest(&wactorv1.TraceRequest{User: knownUser}))
	if err != nil || len(response.Msg.Conversations) != 1 || len(response.Msg.Conversations[0].Entries) == 0 {
		p.t.Fatalf("%v: %v", err, response)
	}
	return time.UnixMilli(response.Msg.Conversations[0].Entries[0].AtMs)
}

func archive(kind string, node int) string {
	return filepath.Join("testdata", "old", fmt.Sprintf("%s-%d.tar.gz", kind, node+1))
}

// pack writes the files of a folder to a new archive.
func pack(folder, archive string) (err error) {
	out, err := os.OpenFile(archive, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	compressed, _ := gzip.NewWriterLevel(out, gzip.BestCompression)
	files := tar.NewWriter(compressed)
	defer func() { err = errors.Join(err, files.Close(), compressed.Close(), out.Close()) }()
	return files.AddFS(os.DirFS(folder))
}

// unpack writes the files of an archive to a new folder.
func unpack(archive, folder string) error {
	in, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer in.Close()
	expanded, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	for files := tar.NewReader(expanded); ; {
		header, err := files.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case header.Typeflag != tar.TypeReg:
			continue
		case !fs.ValidPath(header.Name):
			return fmt.Errorf("%s holds %q", archive, header.Name)
		}
		path := filepath.Join(folder, header.Name)
		content, err := io.ReadAll(files)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o700)
		}
		if err == nil {
			err = os.WriteFile(path, content, 0o600)
		}
		if err != nil {
			return err
		}
	}
}
