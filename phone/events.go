package phone

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	// heartbeat keeps the stream open through proxies, and finds pages that are gone.
	heartbeat = 20 * time.Second
	// maxWrite is how long a page may take to read what was written.
	maxWrite = 10 * time.Second
	// reconnect is how soon a page comes back, in milliseconds.
	reconnect = 500
)

// events streams what happens, after what the page has seen already. "ready" tells that the past is
// complete.
func (p *Phone) events(w http.ResponseWriter, r *http.Request) {
	seen, _ := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64) // none, or not ours: everything
	past, listener := p.history.since(seen)
	if listener == nil {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	defer p.history.leave(listener)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // the server's limit is for requests; this one lasts
	write := func(text func(io.Writer)) bool {
		_ = control.SetWriteDeadline(time.Now().Add(maxWrite))
		text(w)
		return control.Flush() == nil
	}
	ok := write(func(w io.Writer) {
		fmt.Fprintf(w, "retry: %d\n\n", reconnect)
		for i := range past {
			writeEvent(w, &past[i])
		}
		fmt.Fprint(w, "event: ready\ndata: {}\n\n")
	})
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for ok {
		select {
		case e, open := <-listener:
			if !open {
				return
			}
			ok = write(func(w io.Writer) { writeEvent(w, &e) })
		case <-beat.C:
			ok = write(func(w io.Writer) { fmt.Fprint(w, ": still here\n\n") })
		case <-r.Context().Done():
			return
		}
	}
}

func writeEvent(w io.Writer, e *Event) {
	body, err := json.Marshal(e)
	if err != nil {
		return // a reply that is no JSON was not taken
	}
	fmt.Fprintf(w, "id: %d\ndata: %s\n\n", e.Seq, body)
}
