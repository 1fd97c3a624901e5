package gossip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/hashicorp/memberlist"
)

// What a node tells of itself travels with every message about it, and must fit in 512 bytes. It is
// a version byte, then fields of a number, a length and that many bytes. A field that is not known
// is left out, so that newer nodes can say more; one that comes twice counts as it came last.
const (
	metadataVersion = 1
	maxMetadata     = memberlist.MetaMaxSize
)

// The fields. A number is never used for anything else.
const (
	fieldNode    = 1 // 8 bytes, big endian
	fieldCluster = 2 // 8 bytes, big endian
	fieldName    = 3
	fieldRPC     = 4
	fieldZone    = 5
	fieldVersion = 6
)

var errMetadata = errors.New("malformed metadata")

// encodeMetadata fails where the texts are too long together, or are not UTF-8.
func encodeMetadata(p Peer) ([]byte, error) {
	buf := []byte{metadataVersion}
	for _, field := range []struct {
		number uint64
		value  []byte
	}{
		{fieldNode, encodeID(p.Node)}, {fieldCluster, encodeID(p.Cluster)},
		{fieldName, []byte(p.Name)}, {fieldRPC, []byte(p.RPC)}, {fieldZone, []byte(p.Zone)}, {fieldVersion,
			[]byte(p.Version)},
	} {
		if len(field.value) == 0 {
			continue
		}
		if field.number >= fieldName && !utf8.Valid(field.value) {
			return nil, errors.New("gossip: a node's name, address, zone or version is not UTF-8")
		}
		buf = binary.AppendUvarint(buf, field.number)
		buf = binary.AppendUvarint(buf, uint64(len(field.value)))
		buf = append(buf, field.value...)
	}
	if len(buf) > maxMetadata {
		return nil, fmt.Errorf("gossip: a node's name, address, zone and version take %d bytes, more than %d",
			len(buf), maxMetadata)
	}
	return buf, nil
}

func encodeID(id uint64) []byte {
	if id == 0 {
		return nil
	}
	return binary.BigEndian.AppendUint64(nil, id)
}

// decodeMetadata reads what any holder of the key may have sent. What it returns has a node id and
// valid texts.
func decodeMetadata(buf []byte) (Peer, error) {
	if len(buf) == 0 || len(buf) > maxMetadata {
		return Peer{}, fmt.Errorf("%w: %d bytes", errMetadata, len(buf))
	}
	if buf[0] != metadataVersion {
		return Peer{}, fmt.Errorf("%w: version %d, this node knows %d", errMetadata, buf[0], metadataVersion)
	}
	var p Peer
	for rest := buf[1:]; len(rest) > 0; {
		var number uint64
		var value []byte
		var err error
		if number, value, rest, err = nextField(rest); err != nil {
			return Peer{}, err
		}
		if err := p.setField(number, value); err != nil {
			return Peer{}, err
		}
	}
	if p.Node == 0 {
		return Peer{}, fmt.Errorf("%w: no node id", errMetadata)
	}
	return p, nil
}

func nextField(buf []byte) (number uint64, value, rest []byte, err error) {
	number, n := binary.Uvarint(buf)
	if n <= 0 {
		return 0, nil, nil, fmt.Errorf("%w: no field number", errMetadata)
	}
	buf = buf[n:]
	length, n := binary.Uvarint(buf)
	if n <= 0 || length > uint64(len(buf)-n) {
		return 0, nil, nil, fmt.Errorf("%w: field %d is cut off", errMetadata, number)
	}
	return number, buf[n:][:length], buf[n:][length:], nil
}

func (p *Peer) setField(number uint64, value []byte) error {
	switch number {
	case fieldNode:
		return setID(&p.Node, value)
	case fieldCluster:
		return setID(&p.Cluster, value)
	case fieldName:
		return setText(&p.Name, value)
	case fieldRPC:
		return setText(&p.RPC, value)
	case fieldZone:
		return setText(&p.Zone, value)
	case fieldVersion:
		return setText(&p.Version, value)
	}
	return nil
}

func setID(id *uint64, value []byte) error {
	if len(value) != 8 {
		return fmt.Errorf("%w: an id of %d bytes", errMetadata, len(value))
	}
	*id = binary.BigEndian.Uint64(value)
	return nil
}

func setText(text *string, value []byte) error {
	if !utf8.Valid(value) {
		return fmt.Errorf("%w: a text that is not UTF-8", errMetadata)
	}
	*text = string(value)
	return nil
}
