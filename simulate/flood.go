package simulate

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/internal/pause"
	"github.com/wactor/wactor/provider/cloudapi/emulator"
)

// flood is one more user who writes as fast as Options.Flood says, in every other interval, so that
// what it does to the others shows beside what they get without it, whatever else the machine does
// meanwhile. Nothing of it is judged, and what is refused is not sent again.
type flood struct {
	record           *record
	poster           *poster
	posted, accepted atomic.Int64
	work             sync.WaitGroup
}

const (
	// floodFor is how long the flood lasts, and how long the pause before it. The first messages of
	// a run are posted in a pause.
	floodFor = 2 * time.Second
	// floodsAtOnce bounds its webhooks under way: a bot that answers it late is not asked more.
	floodsAtOnce = 128
)

// flooded reports whether something that was due then was due in the flood.
func flooded(ns int64) bool { return (ns/floodFor.Nanoseconds())%2 == 1 }

// start floods until ctx ends; wait for work then.
func (f *flood) start(ctx context.Context) {
	rate := f.record.options.Flood
	if rate <= 0 {
		return
	}
	slots := make(chan struct{}, floodsAtOnce)
	f.work.Go(func() {
		for n := 0; ; n++ {
			due := time.Duration(float64(n) / rate * float64(time.Second))
			pauses := 1 + int64(due/floodFor)
			due += time.Duration(pauses) * floodFor
			pause.For(ctx, due-time.Duration(f.record.now()))
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
			}
			if ctx.Err() != nil {
				return
			}
			if ends := time.Duration(2*pauses) * floodFor; time.Duration(f.record.now()) >= ends {
				<-slots // what a slow bot left no room for is not made up for in the pause
				continue
			}
			f.work.Go(func() {
				defer func() { <-slots }()
				f.post(ctx, n)
			})
		}
	})
}

func (f *flood) post(ctx context.Context, n int) {
	user := strconv.FormatInt(f.record.options.FirstUser-1, 10)
	id := f.record.name + "flood." + strconv.Itoa(n)
	w := f.poster.sign(f.poster.number.Messages(emulator.Message{
		ID: id, User: user, UserID: bsuid + user, Name: "Flood", Text: "flood " + strconv.Itoa(n),
		SentMs: time.Now().UnixMilli(),
	}))
	f.posted.Add(1)
	if status, err := f.poster.connections.post(ctx, w.body, w.signature); err == nil && status == http.StatusOK {
		f.accepted.Add(1)
	}
}

// FloodReport tells what a flood did.
type FloodReport struct {
	// Posted are the webhooks of the user who floods, Accepted those that were answered 200.
	Posted   int `json:"posted"`
	Accepted int `json:"accepted"`
	// Alone and Beside are the times of the others' messages until the Graph API took the reply, of
	// those due without and with the flood, in milliseconds.
	Alone  Percentiles `json:"aloneMs"`
	Beside Percentiles `json:"besideMs"`
}

func (f *flood) report() *FloodReport {
	if f.record.options.Flood <= 0 {
		return nil
	}
	var times [2]latencies
	for i := range f.record.users {
		for _, m := range f.record.users[i].messages {
			if m.repliedNs > 0 {
				n := 0
				if flooded(m.dueNs) {
					n = 1
				}
				times[n].add(time.Duration(m.repliedNs - m.dueNs))
			}
		}
	}
	return &FloodReport{
		Posted: int(f.posted.Load()), Accepted: int(f.accepted.Load()), Alone: times[0].percentiles(),
		Beside: times[1].percentiles(),
	}
}
