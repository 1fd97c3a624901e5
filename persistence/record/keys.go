package record

import (
	"bytes"
	"encoding/binary"
	"slices"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// Class is the byte behind the shard in a key. What lies before firstState belongs to one replica;
// the rest is the state that all replicas of the shard have in common.
type Class byte

// The classes, with what their keys go on with.
const (
	ClassStore        Class = 0x00 // in shard 0 alone: what the store was created with, and the Own records
	ClassHardState    Class = 0x01 // HardState of the group
	ClassApplied      Class = 0x02 // applied index and term, 8 bytes each
	ClassTruncated    Class = 0x03 // index and term of the entry before the first that is kept
	ClassConfState    Class = 0x04 // ConfState of the group
	ClassMembers      Class = 0x05 // the nodes of its replicas
	ClassReplica      Class = 0x06 // the id of this node's replica (8 bytes)
	ClassTombstone    Class = 0x07 // the highest id of a replica that this node has destroyed (8 bytes)
	ClassLog          Class = 0x08 // index (8 bytes): entry
	ClassConversation Class = 0x10 // name, kind, suffix: what an activation loads, then journal and dead letters
	ClassSeen         Class = 0x11 // generation (4 bytes), name, message id
	ClassWork         Class = 0x12 // name
	ClassDue          Class = 0x13 // due time (8 bytes), name, timer
	ClassCluster      Class = 0x14 // in shard 0 alone; its value is a head: revision, chain 0, the cluster's state
	ClassPaused       Class = 0x15 // name

	firstState = ClassConversation
)

// Own is a number that a node keeps for itself, beside what the store was created with.
type Own byte

// The numbers of a node's own.
const (
	OwnCluster Own = 1 // the id of its cluster
	OwnConsent Own = 2 // the node that it last let found a cluster
	OwnSettled Own = 3 // 1 once its cluster was formed
	OwnEpoch   Own = 4 // how often its cluster was restored from a backup
)

// shardBytes is the length of the shard in a key.
const shardBytes = 4

// places are the kinds of record that lie behind a conversation's name, by their byte there: first
// what an activation loads.
var places = [...]wactorv1.RecordKind{
	1: wactorv1.RecordKind_RECORD_KIND_HEAD,
	2: wactorv1.RecordKind_RECORD_KIND_STATE,
	3: wactorv1.RecordKind_RECORD_KIND_INBOX,
	4: wactorv1.RecordKind_RECORD_KIND_OUTBOX,
	5: wactorv1.RecordKind_RECORD_KIND_TIMER,
	6: wactorv1.RecordKind_RECORD_KIND_JOURNAL,
	7: wactorv1.RecordKind_RECORD_KIND_DEAD,
}

// firstUnloaded is the first place of what an activation does not load.
const firstUnloaded = 6

// Loaded are the kinds of record that an activation loads, in the order of their keys.
func Loaded() []wactorv1.RecordKind { return slices.Clone(places[1:firstUnloaded]) }

// place is the byte of a kind behind a conversation's name; 0 for a kind that lies elsewhere.
func place(kind wactorv1.RecordKind) byte {
	if kind == wactorv1.RecordKind_RECORD_KIND_UNSPECIFIED {
		return 0
	}
	return byte(max(0, slices.Index(places[:], kind)))
}

// Key is the key of a record of which a shard has one: shard (4 bytes, big endian) and class.
func Key(shard uint32, class Class) []byte {
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 64), shard), byte(class))
}

// OwnKey is where a number of the node's own lies.
func OwnKey(own Own) []byte { return append(Key(0, ClassStore), byte(own)) }

// LogKey is where an entry of a shard's log lies.
func LogKey(shard uint32, index uint64) []byte {
	return binary.BigEndian.AppendUint64(Key(shard, ClassLog), index)
}

// Range is the keys from From up to, and without, To.
type Range struct{ From, To []byte }

// All is all that a shard's replica has: log, state, and what it knows of both.
func All(shard uint32) Range { return Range{Key(shard, ClassStore+1), Key(shard+1, ClassStore)} }

// State is what the replicas of a shard have in common.
func State(shard uint32) Range { return Range{Key(shard, firstState), Key(shard+1, ClassStore)} }

// Log is the entries of a shard.
func Log(shard uint32) Range { return Range{Key(shard, ClassLog), Key(shard, ClassLog+1)} }

// Class is all of one class of a shard.
func (c Class) Range(shard uint32) Range { return Range{Key(shard, c), Key(shard, c+1)} }

// CutShard takes the shard off a key, as it travels in a snapshot.
func CutShard(key []byte) []byte { return key[shardBytes:] }

// PutShard is the inverse of CutShard; false where the key is none of a shard's state.
func PutShard(shard uint32, key []byte) ([]byte, bool) {
	if len(key) == 0 || Class(key[0]) < firstState {
		return nil, false
	}
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, shardBytes+len(key)), shard), key...), true
}

// Conversation is the records that lie with a conversation, all kinds of them. From is also the
// prefix of their keys.
func Conversation(shard uint32, name string) Range {
	from := appendName(Key(shard, ClassConversation), name)
	return Range{from, append(from[:len(from):len(from)], 0xFF)}
}

// Loads is the records of a conversation that an activation loads.
func Loads(shard uint32, name string) Range {
	from := appendName(Key(shard, ClassConversation), name)
	return Range{from, append(from[:len(from):len(from)], firstUnloaded)}
}

// CutKind takes apart what follows the prefix of Conversation or Loads in a key.
func CutKind(rest []byte) (kind wactorv1.RecordKind, suffix []byte, ok bool) {
	if len(rest) == 0 || rest[0] == 0 || int(rest[0]) >= len(places) {
		return 0, nil, false
	}
	return places[rest[0]], rest[1:], true
}

// Kind is the records of one kind of a conversation; false where they do not lie with it.
func Kind(shard uint32, name string, kind wactorv1.RecordKind) (Range, bool) {
	at := place(kind)
	if at == 0 {
		return Range{}, false
	}
	prefix := appendName(Key(shard, ClassConversation), name)
	return Range{append(prefix[:len(prefix):len(prefix)], at), append(prefix, at+1)}, true
}

// SeenIn is the message ids of a conversation that were accepted in a generation. From is also the
// prefix of their keys; the id follows it.
func SeenIn(shard uint32, name string, generation uint32) Range {
	from := appendName(binary.BigEndian.AppendUint32(Key(shard, ClassSeen), generation), name)
	to := bytes.Clone(from)
	to[len(to)-1]++ // the name ends with 1
	return Range{from, to}
}

// SeenBefore is the message ids of all conversations that were accepted in generations before one.
func SeenBefore(shard, before uint32) Range {
	return Range{Key(shard, ClassSeen), binary.BigEndian.AppendUint32(Key(shard, ClassSeen), before)}
}

// DueUntil is the timers of a shard that are due up to a time (Unix milliseconds, not negative).
func DueUntil(shard uint32, untilMs int64) Range {
	return Range{Key(shard, ClassDue), binary.BigEndian.AppendUint64(Key(shard, ClassDue), uint64(untilMs)+1)}
}

// CutDue takes apart what follows the class in a key of the timer index.
func CutDue(rest []byte) (dueMs int64, name, timer string, ok bool) {
	dueMs, ok = DueMs(rest)
	if !ok {
		return 0, "", "", false
	}
	name, tail, ok := CutName(rest[duePrefix:])
	return dueMs, name, string(tail), ok
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

// CutName takes a name off the beginning of what follows the class in a key.
func CutName(key []byte) (name string, rest []byte, ok bool) {
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

// Of is where a record of a conversation lies; false where kind and suffix name no place.
func Of(shard uint32, conversation string, kind wactorv1.RecordKind, suffix []byte) ([]byte, bool) {
	if !HasPlace(kind, suffix) {
		return nil, false
	}
	return AppendOf(make([]byte, 0, 5+len(conversation)+3+len(suffix)), shard, conversation, kind, suffix), true
}

// Head is where the head of a conversation lies.
func Head(shard uint32, conversation string) []byte {
	key, _ := Of(shard, conversation, wactorv1.RecordKind_RECORD_KIND_HEAD, nil)
	return key
}

// AppendOf appends the key of a record that has a place.
func AppendOf(key []byte, shard uint32, conversation string, kind wactorv1.RecordKind, suffix []byte) []byte {
	key = binary.BigEndian.AppendUint32(key, shard)
	switch kind {
	case wactorv1.RecordKind_RECORD_KIND_SEEN:
		key = append(append(key, byte(ClassSeen)), suffix[:seenPrefix]...)
		return append(appendName(key, conversation), suffix[seenPrefix:]...)
	case wactorv1.RecordKind_RECORD_KIND_WORK:
		return appendName(append(key, byte(ClassWork)), conversation)
	case wactorv1.RecordKind_RECORD_KIND_PAUSED:
		return appendName(append(key, byte(ClassPaused)), conversation)
	case wactorv1.RecordKind_RECORD_KIND_DUE:
		key = append(append(key, byte(ClassDue)), suffix[:duePrefix]...)
		return append(appendName(key, conversation), suffix[duePrefix:]...)
	}
	key = append(appendName(append(key, byte(ClassConversation)), conversation), place(kind))
	return append(key, suffix...)
}

// HasPlace reports whether a record of the kind with the suffix can be stored.
func HasPlace(kind wactorv1.RecordKind, suffix []byte) bool {
	switch kind {
	case wactorv1.RecordKind_RECORD_KIND_SEEN:
		return len(suffix) > seenPrefix
	case wactorv1.RecordKind_RECORD_KIND_DUE:
		return len(suffix) > duePrefix
	case wactorv1.RecordKind_RECORD_KIND_WORK, wactorv1.RecordKind_RECORD_KIND_PAUSED,
		wactorv1.RecordKind_RECORD_KIND_HEAD, wactorv1.RecordKind_RECORD_KIND_STATE:
		return len(suffix) == 0
	}
	return place(kind) != 0
}
