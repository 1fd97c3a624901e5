package record

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Standing is the point that the commits of a conversation have reached: the number of commits, and
// the chain that made the last one. The zero Standing is that of a conversation that does not
// exist.
type Standing struct{ Revision, Chain uint64 }

// ErrHead is wrapped by the errors of SplitHead: the value is none that JoinHead made.
var ErrHead = errors.New("record: malformed head")

// chained in the stored number of a revision says that the chain follows. A head of before there
// were chains has none.
const chained = 1 << 63

// JoinHead is the stored form of a head: the revision's number (8 bytes) and chain (8), then the
// head.
func JoinHead(at Standing, head []byte) []byte {
	out := binary.BigEndian.AppendUint64(make([]byte, 0, 16+len(head)), at.Revision|chained)
	return append(binary.BigEndian.AppendUint64(out, at.Chain), head...)
}

// SplitHead is the inverse of JoinHead. The head shares the value's memory.
func SplitHead(value []byte) (at Standing, head []byte, err error) {
	if len(value) < 8 {
		return Standing{}, nil, fmt.Errorf("%w: %d bytes", ErrHead, len(value))
	}
	at.Revision, head = binary.BigEndian.Uint64(value), value[8:]
	if at.Revision&chained != 0 {
		if len(head) < 8 {
			return Standing{}, nil, fmt.Errorf("%w: %d bytes", ErrHead, len(value))
		}
		at.Revision, at.Chain, head = at.Revision&^chained, binary.BigEndian.Uint64(head), head[8:]
	}
	if at.Revision == 0 {
		return Standing{}, nil, fmt.Errorf("%w: no revision", ErrHead)
	}
	return at, head, nil
}
