package conversation

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wactor/wactor/conversation/policy"
	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// loaded are the kinds of records that a Loader reads.
var loaded = []wactorv1.RecordKind{
	wactorv1.RecordKind_RECORD_KIND_HEAD, wactorv1.RecordKind_RECORD_KIND_STATE, wactorv1.RecordKind_RECORD_KIND_INBOX,
	wactorv1.RecordKind_RECORD_KIND_OUTBOX, wactorv1.RecordKind_RECORD_KIND_TIMER,
}

// FuzzLoad: records, damaged or not, are refused or make a conversation that can be started, takes
// a message and lets time go on. Its seeds are what the histories leave on disk.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no histories: %v", err)
	}
	for _, file := range files {
		history, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		addStored(f, string(history))
	}
	f.Fuzz(func(t *testing.T, head, state, first, second, outbox, timer []byte, policies uint8) {
		cfg := Config{Node: "n1", Inline: policies&1 != 0, Burst: policy.Burst{Policy: policy.Enqueue}}
		if policies&2 != 0 {
			cfg = Config{Node: "n1", Burst: policy.Burst{Policy: policy.Merge, Quiet: time.Second},
				Order:   policy.Order{Hold: time.Second},
				Session: policy.Session{Idle: time.Minute, Turn: true}}
		}
		loader := NewLoader(ID{Channel: "shop", User: "49151"}, cfg.WithDefaults())
		for i, values := range [][][]byte{{head}, {state}, {first, second}, {outbox}, {timer}} {
			for n, value := range values {
				if len(value) == 0 {
					continue // no such record
				}
				if loader.Record(loaded[i], record.Number(uint64(n)+1), value) != nil {
					return
				}
			}
		}
		c := loader.Done(1)
		now := int64(1_700_000_000_000)
		c.Step(now, Started{})
		c.Step(now, Committed{Revision: c.Revision()})
		c.Step(now, Arrived{Ref: 1, Message: &wactorv1.Message{Id: "m", Type: "text", Text: "hi", SentMs: now},
			User: &wactorv1.User{Id: "49151"}})
		c.Step(now+time.Hour.Milliseconds(), Ticked{StatusMs: now})
		c.Step(now+time.Hour.Milliseconds(), Stopping{})
	})
}

// addStored adds what a history has on disk after each of its commands.
func addStored(f *testing.F, history string) {
	var w *world
	for line := range strings.Lines(history) {
		command, ok := strings.CutPrefix(line, "> ")
		fields := strings.Fields(command)
		switch {
		case !ok || fields[0] == "journal":
			continue
		case fields[0] == "new":
			w = newHistory(fields[1:])
			continue
		}
		w.run(fields)
		for w.performOne() {
		}
		if fields[0] == "commit" {
			values := w.stored()
			f.Add(values[0], values[1], values[2], values[3], values[4], values[5], uint8(0))
		}
	}
}

// stored returns the records that FuzzLoad takes.
func (w *world) stored() [6][]byte {
	var values [6][]byte
	values[0] = w.records[recordKey(loaded[0], nil)]
	values[1] = w.records[recordKey(loaded[1], nil)]
	next := 2
	for seq := uint64(1); seq < 100; seq++ {
		if value, ok := w.records[recordKey(loaded[2], record.Number(seq))]; ok && next < 4 {
			values[next] = value
			next++
		}
		if value, ok := w.records[recordKey(loaded[3], record.Number(seq))]; ok && values[4] == nil {
			values[4] = value
		}
	}
	for key, value := range w.records {
		if key[0] == byte(loaded[4]) {
			values[5] = value
		}
	}
	return values
}
