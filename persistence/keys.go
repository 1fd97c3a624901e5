package persistence

import (
	"encoding/binary"
	"slices"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// A key is shard (4 bytes big endian), class (1 byte), and what the class says.
const (
	classHardState    = 0x01 // HardState of the group
	classApplied      = 0x02 // applied index and term, 8 bytes each
	classTruncated    = 0x03 // index and term of the entry before the first that is kept
	classConfState    = 0x04 // ConfState of the group
	classMembers      = 0x05 // the nodes of its replicas
	classReplica      = 0x06 // the id of this node's replica (8 bytes)
	classTombstone    = 0x07 // the highest id of a replica that this node has destroyed (8 bytes)
	classLog          = 0x08 // index (8 bytes): entry
	classConversation = 0x10 // name, place, suffix: the records that an activation loads, then journal and dead letters
	classSeen         = 0x11 // generation (4 bytes), name, message id
	classWork         = 0x12 // name
	classDue          = 0x13 // due time (8 bytes), name, timer
)

// firstState is the first class of what replicas have in common; before it lies what is a replica's
// own.
const firstState = classConversation

// shardBytes is the length of the shard in a key.
const shardBytes = 4

// kinds are the kinds of record that lie behind a conversation's name, by their place there: first
// what an activation loads.
var kinds = [...]wactorv1.RecordKind{
	1: wactorv1.RecordKind_RECORD_KIND_HEAD,
	2: wactorv1.RecordKind_RECORD_KIND_STATE,
	3: wactorv1.RecordKind_RECORD_KIND_INBOX,
	4: wactorv1.RecordKind_RECORD_KIND_OUTBOX,
	5: wactorv1.RecordKind_RECORD_KIND_TIMER,
	6: wactorv1.RecordKind_RECORD_KIND_JOURNAL,
	7: wactorv1.RecordKind_RECORD_KIND_DEAD,
}

const firstUnloaded = 6

// place is the inverse of kinds; 0 for a kind that lies elsewhere.
func place(kind wactorv1.RecordKind) byte {
	if kind == wactorv1.RecordKind_RECORD_KIND_UNSPECIFIED {
		return 0
	}
	return byte(max(0, slices.Index(kinds[:], kind)))
}

func shardKey(shard uint32, class byte) []byte {
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 64), shard), class)
}

func logKey(shard uint32, index uint64) []byte {
	return binary.BigEndian.AppendUint64(shardKey(shard, classLog), index)
}

// appendName appends a text so that no text is a prefix of another and order is kept: 0x00 becomes
// 0x00 0xFF, the end is 0x00 0x01.
func appendName(key []byte, name string) []byte {
	for i := range len(name) {
		key = append(key, name[i])
		if name[i] == 0 {
			key = append(key, 0xFF)
		}
	}
	return append(key, 0, 1)
}

// cutName is the inverse of appendName.
func cutName(key []byte) (name string, rest []byte, ok bool) {
	var out []byte
	for i := 0; i < len(key); i++ {
		if key[i] != 0 {
			out = append(out, key[i])
			continue
		}
		if i+1 == len(key) {
			return "", nil, false
		}
		switch i++; key[i] {
		case 1:
			return string(out), key[i+1:], true
		case 0xFF:
			out = append(out, 0)
		default:
			return "", nil, false
		}
	}
	return "", nil, false
}

// cutDue takes apart what follows the class in a key of the timer index.
func cutDue(rest []byte) (dueMs int64, name, timer string, ok bool) {
	if len(rest) < 8 {
		return 0, "", "", false
	}
	name, tail, ok := cutName(rest[8:])
	return int64(binary.BigEndian.Uint64(rest)), name, string(tail), ok
}

// recordKey is where a record lies; false where kind and suffix name no place.
func recordKey(shard uint32, conversation string, kind wactorv1.RecordKind, suffix []byte) ([]byte, bool) {
	if !hasPlace(kind, suffix) {
		return nil, false
	}
	return appendRecordKey(make([]byte, 0, 5+len(conversation)+3+len(suffix)), shard, conversation, kind, suffix), true
}

// appendRecordKey appends the key of a record that has a place.
func appendRecordKey(key []byte, shard uint32, conversation string, kind wactorv1.RecordKind, suffix []byte) []byte {
	key = binary.BigEndian.AppendUint32(key, shard)
	switch kind {
	case wactorv1.RecordKind_RECORD_KIND_SEEN:
		key = append(append(key, classSeen), suffix[:seenPrefix]...)
		return append(appendName(key, conversation), suffix[seenPrefix:]...)
	case wactorv1.RecordKind_RECORD_KIND_WORK:
		return appendName(append(key, classWork), conversation)
	case wactorv1.RecordKind_RECORD_KIND_DUE:
		key = append(append(key, classDue), suffix[:duePrefix]...)
		return append(appendName(key, conversation), suffix[duePrefix:]...)
	}
	key = append(appendName(append(key, classConversation), conversation), place(kind))
	return append(key, suffix...)
}

// The parts of suffixes that lie before the name, so that the index is in their order: generation
// and due time.
const seenPrefix, duePrefix = 4, 8

// hasPlace reports whether a record of the kind with the suffix can be stored.
func hasPlace(kind wactorv1.RecordKind, suffix []byte) bool {
	switch kind {
	case wactorv1.RecordKind_RECORD_KIND_SEEN:
		return len(suffix) > seenPrefix
	case wactorv1.RecordKind_RECORD_KIND_DUE:
		return len(suffix) > duePrefix
	case wactorv1.RecordKind_RECORD_KIND_WORK, wactorv1.RecordKind_RECORD_KIND_HEAD,
		wactorv1.RecordKind_RECORD_KIND_STATE:
		return len(suffix) == 0
	}
	return place(kind) != 0
}

// seenEnd is behind the message ids of all generations before one.
func seenEnd(shard, before uint32) []byte {
	return binary.BigEndian.AppendUint32(shardKey(shard, classSeen), before)
}
