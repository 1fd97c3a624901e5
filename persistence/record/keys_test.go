package record

import (
	"bytes"
	"encoding/hex"
	"testing"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestStoredKeysNeverChange: the bytes are those that every version has written.
func TestStoredKeysNeverChange(t *testing.T) {
	of := func(kind wactorv1.RecordKind, suffix []byte) []byte {
		key, ok := Of(7, "a\x00b", kind, suffix)
		if !ok {
			t.Fatalf("kind %v has no place", kind)
		}
		return key
	}
	for want, key := range map[string][]byte{
		"0000000000":                 Key(0, ClassStore),
		"000000000001":               OwnKey(OwnCluster),
		"000000000002":               OwnKey(OwnConsent),
		"000000000003":               OwnKey(OwnSettled),
		"000000000004":               OwnKey(OwnEpoch),
		"0000000701":                 Key(7, ClassHardState),
		"0000000702":                 Key(7, ClassApplied),
		"0000000703":                 Key(7, ClassTruncated),
		"0000000704":                 Key(7, ClassConfState),
		"0000000705":                 Key(7, ClassMembers),
		"0000000706":                 Key(7, ClassReplica),
		"0000000707":                 Key(7, ClassTombstone),
		"00000007080000000000000009": LogKey(7, 9),
		"00000007106100ff62000101":   of(wactorv1.RecordKind_RECORD_KIND_HEAD, nil),
		"00000007106100ff62000102":   of(wactorv1.RecordKind_RECORD_KIND_STATE, nil),
		"00000007106100ff620001030000000000000001": of(wactorv1.RecordKind_RECORD_KIND_INBOX, Number(1)),
		"00000007106100ff620001040000000000000002": of(wactorv1.RecordKind_RECORD_KIND_OUTBOX, Number(2)),
		"00000007106100ff62000105" + "74":          of(wactorv1.RecordKind_RECORD_KIND_TIMER, []byte("t")),
		"00000007106100ff620001060000000000000003": of(wactorv1.RecordKind_RECORD_KIND_JOURNAL, Number(3)),
		"00000007106100ff620001070000000000000004": of(wactorv1.RecordKind_RECORD_KIND_DEAD, Number(4)),
		"0000000711000000056100ff6200016964":       of(wactorv1.RecordKind_RECORD_KIND_SEEN, Seen(5, "id")),
		"00000007126100ff620001":                   of(wactorv1.RecordKind_RECORD_KIND_WORK, nil),
		"000000071300000000000000066100ff62000174": of(wactorv1.RecordKind_RECORD_KIND_DUE, Due(6, "t")),
		"0000000014":             Key(0, ClassCluster),
		"00000007156100ff620001": of(wactorv1.RecordKind_RECORD_KIND_PAUSED, nil),
	} {
		if got := hex.EncodeToString(key); got != want {
			t.Errorf("key %s, want %s", got, want)
		}
	}
}

// TestRangesHoldTheirRecordsAlone: each range holds the keys of its records, and nothing beside.
func TestRangesHoldTheirRecordsAlone(t *testing.T) {
	var all [][]byte
	for _, shard := range []uint32{1, 2} {
		for class := ClassHardState; class <= ClassTombstone; class++ {
			all = append(all, Key(shard, class))
		}
		all = append(all, LogKey(shard, 1), LogKey(shard, 1<<63))
		for _, name := range []string{"a", "a\x00", "ab"} {
			for kind := wactorv1.RecordKind_RECORD_KIND_HEAD; kind <= wactorv1.RecordKind_RECORD_KIND_PAUSED; kind++ {
				for _, suffix := range [][]byte{nil, Number(9), Seen(1, "id"), Seen(2, "id"), Due(5, "t"), Due(6,
					"t")} {
					if key, ok := Of(shard, name, kind, suffix); ok {
						all = append(all, key)
					}
				}
			}
		}
	}
	holds := func(what string, r Range, want func(key []byte) bool) {
		t.Helper()
		for _, key := range all {
			in := bytes.Compare(key, r.From) >= 0 && bytes.Compare(key, r.To) < 0
			if in != want(key) {
				t.Errorf("%s: holds %x: %v", what, key, in)
			}
		}
	}
	in := func(key []byte) (shard byte, class Class, rest []byte) { return key[3], Class(key[4]), key[5:] }
	holds("All", All(1), func(key []byte) bool { return key[3] == 1 })
	holds("State", State(1), func(key []byte) bool { s, c, _ := in(key); return s == 1 && c >= firstState })
	holds("Log", Log(1), func(key []byte) bool { s, c, _ := in(key); return s == 1 && c == ClassLog })
	holds("Loads", Loads(1, "a"), func(key []byte) bool {
		s, c, rest := in(key)
		name, tail, _ := CutName(rest)
		return s == 1 && c == ClassConversation && name == "a" && tail[0] < firstUnloaded
	})
	holds("Conversation", Conversation(1, "a"), func(key []byte) bool {
		s, c, rest := in(key)
		name, _, _ := CutName(rest)
		return s == 1 && c == ClassConversation && name == "a"
	})
	letters, _ := Kind(1, "a", wactorv1.RecordKind_RECORD_KIND_DEAD)
	holds("Kind", letters, func(key []byte) bool {
		s, c, rest := in(key)
		name, tail, _ := CutName(rest)
		kind, _, _ := CutKind(tail)
		return s == 1 && c == ClassConversation && name == "a" && kind == wactorv1.RecordKind_RECORD_KIND_DEAD
	})
	holds("SeenIn", SeenIn(1, "a", 1), func(key []byte) bool {
		s, c, rest := in(key)
		if s != 1 || c != ClassSeen {
			return false
		}
		name, _, _ := CutName(rest[seenPrefix:])
		return rest[3] == 1 && name == "a"
	})
	holds("SeenBefore", SeenBefore(1, 2), func(key []byte) bool {
		s, c, rest := in(key)
		return s == 1 && c == ClassSeen && rest[3] < 2
	})
	holds("DueUntil", DueUntil(1, 5), func(key []byte) bool {
		s, c, rest := in(key)
		if s != 1 || c != ClassDue {
			return false
		}
		due, _, _, _ := CutDue(rest)
		return due <= 5
	})
}
