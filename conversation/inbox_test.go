package conversation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wactor/wactor/conversation/policy"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestEventsAreBounded: the oldest are absorbed where too many wait, or too large ones, and the
// journal tells.
func TestEventsAreBounded(t *testing.T) {
	for name, test := range map[string]struct{ size, count, kept int }{
		"count": {size: 10, count: maxEvents + 5, kept: maxEvents},
		"bytes": {size: maxEventBytes / 3, count: 6, kept: 2},
	} {
		cfg := plainConfig(false)
		cfg.Receives = policy.DefaultReceives
		w := newWorld(cfg)
		for i := range test.count {
			w.deliverMessage(&wactorv1.Message{Id: fmt.Sprint("m", i), Type: "edit", Text: strings.Repeat("x",
				test.size),
				SentMs: w.nowMs})
			w.keepUp()
		}
		if got := len(w.c.inbox.events); got != test.kept || w.c.Unfinished() || w.c.Version() != 0 {
			t.Errorf("%s: %d events wait, want %d; unfinished %v, %d turns", name, got, test.kept, w.c.Unfinished(),
				w.c.Version())
		}
		absorbed := 0
		for _, e := range w.journal() {
			if e.Kind == wactorv1.JournalKind_JOURNAL_KIND_ABSORBED {
				absorbed++
			}
		}
		if absorbed != test.count-test.kept {
			t.Errorf("%s: %d absorbed, want %d", name, absorbed, test.count-test.kept)
		}
	}
}
