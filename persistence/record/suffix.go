package record

import (
	"encoding/binary"
)

// The parts of suffixes that lie before the conversation's name, so that the index is in their
// order: generation and due time.
const seenPrefix, duePrefix = 4, 8

// Number is the suffix of the records that a conversation numbers: inbox, outbox, journal and dead
// letters. Suffixes are in the order of their numbers.
func Number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// Seen is the suffix of a message id that was accepted in a generation.
func Seen(generation uint32, id string) []byte {
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, seenPrefix+len(id)), generation), id...)
}

// SeenID is the message id in a suffix that Seen made; it shares its memory.
func SeenID(suffix []byte) []byte { return suffix[min(seenPrefix, len(suffix)):] }

// Due is the suffix of a timer in the index of due times, which are Unix milliseconds.
func Due(dueMs int64, timer string) []byte {
	return append(binary.BigEndian.AppendUint64(make([]byte, 0, duePrefix+len(timer)), uint64(dueMs)), timer...)
}

// DueMs is the time in a suffix that Due made; false where it holds none.
func DueMs(suffix []byte) (dueMs int64, ok bool) {
	if len(suffix) < duePrefix {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(suffix)), true
}
