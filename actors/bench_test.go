package actors

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/delivery"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// instantStore applies commits at once and keeps nothing: what remains is the cost of the actors.
type instantStore struct{}

func (instantStore) Propose(_ uint32, _ uint64, _ *wactorv1.Command, _ bool, done func(error)) {
	done(nil)
}
func (instantStore) Load(uint32, string, func(wactorv1.RecordKind, []byte, []byte) error) (uint64, error) {
	return 0, nil
}
func (instantStore) Leased(uint32, uint64) bool                               { return true }
func (instantStore) SeenValue(uint32, string, uint32, string) ([]byte, error) { return nil, nil }
func (instantStore) Seen(uint32, string, uint32, string) (bool, error)        { return false, nil }
func (instantStore) SeenIn(uint32, string, uint32, func([]byte) error) error {
	return nil
}
func (instantStore) Work(uint32, func(string) error) error { return nil }
func (instantStore) ScanFrom(uint32, string, wactorv1.RecordKind, []byte, func([]byte, []byte) error) error {
	return nil
}
func (instantStore) Due(uint32, int64, func(int64, string, string) error) error {
	return nil
}

func startInstant(b *testing.B) *Runtime {
	r := New(Options{Store: instantStore{}, Shards: 4, IdleAfter: time.Hour, Channels: map[string]*Channel{"shop": {
		Config: conversation.Config{Node: "n1", Inline: true}.WithDefaults(), Bot: inlineCounter{}, Sender: &phone{},
	}}})
	for shard := uint32(1); shard <= 4; shard++ {
		r.LeadershipChanged(shard, 1, true)
	}
	return r
}

// BenchmarkDeliver is one message through an actor, without a log: accepted, run, sent, settled.
func BenchmarkDeliver(b *testing.B) {
	for _, users := range []int{1, 256} {
		b.Run(fmt.Sprintf("users=%d", users), func(b *testing.B) {
			r := startInstant(b)
			b.ReportAllocs()
			var all sync.WaitGroup
			slots := make(chan struct{}, 256)
			for i := range b.N {
				slots <- struct{}{}
				all.Add(1)
				r.Deliver(envelope(i%users, i), func(delivery.Outcome) { <-slots; all.Done() })
			}
			all.Wait()
			b.StopTimer()
			r.Stop(b.Context())
		})
	}
}

func envelope(user, i int) delivery.Envelope {
	name := fmt.Sprintf("49151%08d", user)
	return delivery.Envelope{To: conversation.ID{Channel: "shop", User: name}, Origin: "n1", Body: delivery.Inbound{
		Message: &wactorv1.Message{Id: fmt.Sprint("wamid.", i), Type: "text", Text: "hello",
			ReceivedMs: time.Now().UnixMilli()},
		User: &wactorv1.User{WaId: name, Name: "Ana"},
	}}
}

// BenchmarkActiveMemory reports the bytes that a conversation at rest takes while it is in memory.
func BenchmarkActiveMemory(b *testing.B) {
	const users = 20_000
	for range b.N {
		r := startInstant(b)
		before := heap()
		var all sync.WaitGroup
		for u := range users {
			all.Add(1)
			r.Deliver(envelope(u, u), func(delivery.Outcome) { all.Done() })
		}
		all.Wait()
		b.ReportMetric(float64(heap()-before)/users, "B/conversation")
		r.Stop(b.Context())
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
