package audit

import (
	"strings"
	"testing"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

func TestJournalNamesWhatContradicts(t *testing.T) {
	turn := func(before, after, message uint64, started, at int64) *wactorv1.JournalEntry {
		return &wactorv1.JournalEntry{
			Kind: wactorv1.JournalKind_JOURNAL_KIND_TURN, VersionBefore: before, VersionAfter: after,
			MessageSeqs: []uint64{message}, StartedMs: started, AtMs: at,
		}
	}
	sent := func(reply uint64) *wactorv1.JournalEntry {
		return &wactorv1.JournalEntry{Kind: wactorv1.JournalKind_JOURNAL_KIND_SENT, ReplySeq: reply}
	}
	for name, test := range map[string]struct {
		entries []*wactorv1.JournalEntry
		trimmed bool
		want    string
	}{
		"nothing": {nil, false, ""},
		"gapless": {[]*wactorv1.JournalEntry{turn(0, 1, 1, 10, 20), sent(1), turn(1, 2, 2, 20, 30), sent(2)},
			false, ""},
		"late start": {[]*wactorv1.JournalEntry{turn(4, 5, 1, 10, 20)}, false,
			"turn from version 4 to 5 follows version 0"},
		"trimmed": {[]*wactorv1.JournalEntry{turn(4, 5, 1, 10, 20), turn(5, 6, 2, 20, 21)}, true, ""},
		"gap": {[]*wactorv1.JournalEntry{turn(0, 1, 1, 10, 20), turn(2, 3, 2, 20, 30)}, false,
			"turn from version 2 to 3 follows version 1"},
		"twice": {[]*wactorv1.JournalEntry{turn(0, 1, 1, 10, 20), turn(1, 2, 1, 20, 30)}, false,
			"message 1 is in turn 1 and in turn 2"},
		"overlap": {[]*wactorv1.JournalEntry{turn(0, 1, 1, 10, 20), turn(1, 2, 2, 15, 30)}, false,
			"turn 2 began 5 ms before the one before it ended"},
		"sent twice":     {[]*wactorv1.JournalEntry{sent(1), sent(1)}, false, "reply 1 was sent twice"},
		"sent backwards": {[]*wactorv1.JournalEntry{sent(2), sent(1)}, false, "reply 1 was sent after reply 2"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(Journal(test.entries, test.trimmed), "; "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
