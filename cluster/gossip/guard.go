package gossip

import (
	"bytes"
	"compress/lzw"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/memberlist"
)

// The library (memberlist v0.7.0) panics at some packets under the right key, and unpacks small
// ones into tens of MiB. So the transport opens each packet and each stream before the library gets
// it, and rejects what no node sends. What has another key, or none, is the library's to reject: it
// does so before it looks inside, and says what operators know.

// Bounds on what a node sends. A packet has up to 1,400 bytes; a stream carries the state of all
// nodes, some 700 bytes each, and the hints of all shards, less than 100 kB.
const (
	maxPacket         = 64 << 10
	maxPacketUnpacked = 64 << 10
	maxFrame          = 1 << 20
	maxFrameUnpacked  = 2 << 20
	maxNodes          = 1024
)

// The types of the library's messages.
const (
	typePing         = 0
	typeIndirectPing = 1
	typeAck          = 2
	typeSuspect      = 3
	typeAlive        = 4
	typeDead         = 5
	typePushPull     = 6
	typeCompound     = 7
	typeUser         = 8
	typeCompressed   = 9
	typeEncrypted    = 10
	typeNack         = 11
	typeChecksum     = 12
	typeError        = 13
	typeLabel        = 244
)

// The form of encrypted messages: version, nonce, ciphertext and tag. Version 0 pads what it
// encrypts; every node writes version 1.
const (
	encryptionVersion = 1
	nonceSize         = 12
	tagSize           = 16
	sealedMin         = 1 + nonceSize + tagSize
)

var errMalformed = errors.New("malformed gossip")

// errForeign: it is not of this cluster, and the library rejects it.
var errForeign = errors.New("gossip of another cluster")

// guard checks gossip.
type guard struct {
	label string
	keys  []cipher.AEAD
}

func newGuard(label string, keys [][]byte) (*guard, error) {
	g := &guard{label: label}
	for _, key := range keys {
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("gossip: take the keys: %w", err)
		}
		sealed, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("gossip: take the keys: %w", err)
		}
		g.keys = append(g.keys, sealed)
	}
	return g, nil
}

// packet checks a packet of the network.
func (g *guard) packet(buf []byte) error {
	if len(buf) > maxPacket {
		return fmt.Errorf("%w: a packet of %d bytes", errMalformed, len(buf))
	}
	sealed, label, err := memberlist.RemoveLabelHeaderFromPacket(buf)
	if err != nil || label != g.label {
		return errForeign
	}
	plain, err := g.open(sealed, []byte(g.label))
	if err != nil {
		return err
	}
	if len(plain) >= 5 && plain[0] == typeChecksum {
		plain = plain[5:]
	}
	return checkPacket(plain, outermost)
}

// open decrypts a message.
func (g *guard) open(sealed, additional []byte) ([]byte, error) {
	switch {
	case len(sealed) < sealedMin:
		return nil, errForeign
	case sealed[0] != encryptionVersion:
		return nil, fmt.Errorf("%w: encryption of version %d", errMalformed, sealed[0])
	}
	for _, key := range g.keys {
		if plain, err := key.Open(nil, sealed[1:][:nonceSize], sealed[1+nonceSize:], additional); err == nil {
			if len(plain) == 0 {
				return nil, fmt.Errorf("%w: an empty message", errMalformed)
			}
			return plain, nil
		}
	}
	return nil, errForeign
}

// A level of nesting in a packet: a node compresses a compound, or a single message, and never puts
// one of either into another.
type level int

const (
	outermost level = iota
	unpacked        // of what was compressed
	part            // of a compound
)

// checkPacket checks a message, and those that it is made of.
func checkPacket(message []byte, at level) error {
	if len(message) == 0 {
		return fmt.Errorf("%w: an empty message", errMalformed)
	}
	kind, body := message[0], message[1:]
	switch {
	case kind == typeCompressed && at == outermost:
		inner, err := unpack(body, maxPacketUnpacked)
		if err != nil {
			return err
		}
		return checkPacket(inner, unpacked)
	case kind == typeCompound && at != part:
		return eachPart(body, func(message []byte) error { return checkPacket(message, part) })
	case kind == typeUser:
		return nil // hints, which have a decoder of their own
	}
	switch kind {
	case typePing, typeIndirectPing, typeAck, typeNack, typeSuspect, typeAlive, typeDead:
		return onlyMap(body)
	}
	return fmt.Errorf("%w: a message of type %d within a packet", errMalformed, kind)
}

// eachPart splits a compound: a number, so many lengths, and so many messages.
func eachPart(body []byte, check func([]byte) error) error {
	if len(body) == 0 || len(body) < 1+2*int(body[0]) {
		return fmt.Errorf("%w: a compound is cut off", errMalformed)
	}
	lengths, parts := body[1:][:2*int(body[0])], body[1+2*int(body[0]):]
	for ; len(lengths) > 0; lengths = lengths[2:] {
		length := int(binary.BigEndian.Uint16(lengths))
		if length > len(parts) {
			return fmt.Errorf("%w: a compound is cut off", errMalformed)
		}
		if err := check(parts[:length]); err != nil {
			return err
		}
		parts = parts[length:]
	}
	return nil
}

// frame checks what one side sends over a stream: the type, the length, and the sealed message.
func (g *guard) frame(head, sealed []byte) error {
	plain, err := g.open(sealed, append(bytes.Clone(head), g.label...))
	if err != nil {
		return err
	}
	if plain[0] == typeCompressed {
		if plain, err = unpack(plain[1:], maxFrameUnpacked); err != nil {
			return err
		}
		if len(plain) == 0 {
			return fmt.Errorf("%w: an empty message", errMalformed)
		}
	}
	switch kind, body := plain[0], plain[1:]; kind {
	case typePushPull:
		return checkState(body)
	case typePing, typeAck, typeError:
		return onlyMap(body)
	default:
		return fmt.Errorf("%w: a message of type %d over a stream", errMalformed, kind)
	}
}

// checkState checks the state of all nodes: a header, a map for each node, and as many bytes more
// as the header names.
func checkState(body []byte) error {
	nodes, more := int64(0), int64(0)
	rest, err := nextMap(body, func(key string, value []byte) error {
		var err error
		switch key {
		case "Nodes":
			nodes, err = integer(value)
		case "UserStateLen":
			more, err = integer(value)
		}
		return err
	})
	if err != nil {
		return err
	}
	if nodes < 0 || nodes > maxNodes {
		return fmt.Errorf("%w: a state of %d nodes", errMalformed, nodes)
	}
	for range nodes {
		if rest, err = nextMap(rest, nil); err != nil {
			return err
		}
	}
	if more != int64(len(rest)) {
		return fmt.Errorf("%w: a state with %d bytes of hints, of which %d are there", errMalformed, more, len(rest))
	}
	return nil
}

// unpack decompresses a message to at most so many bytes.
func unpack(body []byte, limit int64) ([]byte, error) {
	var packed []byte
	algorithm := int64(0)
	rest, err := nextMap(body, func(key string, value []byte) error {
		var err error
		switch key {
		case "Algo":
			algorithm, err = integer(value)
		case "Buf":
			packed, err = content(value)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if algorithm != 0 || len(rest) > 0 {
		return nil, fmt.Errorf("%w: compressed in an unknown way", errMalformed)
	}
	const lzwLiteralBits = 8
	reader := lzw.NewReader(bytes.NewReader(packed), lzw.LSB, lzwLiteralBits)
	defer reader.Close()
	var plain bytes.Buffer
	n, err := io.CopyN(&plain, reader, limit+1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	if n > limit {
		return nil, fmt.Errorf("%w: it unfolds to more than %d bytes", errMalformed, limit)
	}
	return plain.Bytes(), nil
}

// onlyMap checks that a body is one map of MessagePack.
func onlyMap(body []byte) error {
	rest, err := nextMap(body, nil)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%w: %d bytes behind a message", errMalformed, len(rest))
	}
	return err
}
