package gossip

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var samplePeer = Peer{Node: nodeB, Cluster: 7, Name: "node-1", RPC: "10.0.0.1:7947", Zone: "eu-1a", Version: "1.2.3"}

func mustEncode(t testing.TB, p Peer) []byte {
	t.Helper()
	buf, err := encodeMetadata(p)
	if err != nil {
		t.Fatal(err)
	}
	return buf
}

func TestMetadataComesBack(t *testing.T) {
	for name, p := range map[string]Peer{
		"full":            samplePeer,
		"without cluster": {Node: 1, Name: "a"},
		"node only":       {Node: 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decodeMetadata(mustEncode(t, p))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(p, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// What nodes of this version say must be understood by all later ones.
func TestMetadataIsStable(t *testing.T) {
	want := "\x01\x01\x08\xf0\x0d\xfe\xed\xca\xfe\xba\xbe\x02\x08\x00\x00\x00\x00\x00\x00\x00\x07" +
		"\x03\x06node-1\x04\x0d10.0.0.1:7947\x05\x05eu-1a\x06\x051.2.3"
	if diff := cmp.Diff([]byte(want), mustEncode(t, samplePeer)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNewerMetadataIsUnderstood(t *testing.T) {
	buf := mustEncode(t, samplePeer)
	buf = binary.AppendUvarint(buf, 1_000_000)
	buf = append(binary.AppendUvarint(buf, 3), "new"...)
	buf = append(buf, 9, 0)
	got, err := decodeMetadata(buf)
	if err != nil || got != samplePeer {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestMetadataIsRefused(t *testing.T) {
	good := mustEncode(t, samplePeer)
	for name, buf := range map[string][]byte{
		"empty":          {},
		"version":        append([]byte{2}, good[1:]...),
		"too long":       append(bytes.Clone(good), make([]byte, maxMetadata)...),
		"no node":        {1},
		"node 0":         {1, 1, 8, 0, 0, 0, 0, 0, 0, 0, 0},
		"short node":     {1, 1, 2, 0, 1},
		"short cluster":  append(bytes.Clone(good), 2, 1, 1),
		"no length":      append(bytes.Clone(good), 3),
		"cut off":        good[:len(good)-1],
		"endless number": append(bytes.Clone(good), bytes.Repeat([]byte{0xff}, 12)...),
		"huge length":    append(bytes.Clone(good), 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
		"no UTF-8":       append(bytes.Clone(good), 3, 1, 0xff),
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := decodeMetadata(buf); !errors.Is(err, errMetadata) {
				t.Errorf("got %+v, %v", p, err)
			}
		})
	}
}

func TestMetadataHasALimit(t *testing.T) {
	p := samplePeer
	p.Zone = ""
	p.Zone = strings.Repeat("z", maxMetadata-len(mustEncode(t, p))-3) // a number, and a length of two bytes
	if buf := mustEncode(t, p); len(buf) != maxMetadata {
		t.Errorf("%d bytes, want %d", len(buf), maxMetadata)
	}
	p.Zone += "z"
	if _, err := encodeMetadata(p); err == nil {
		t.Error("a byte too much is taken")
	}
	if _, err := encodeMetadata(Peer{Node: 1, Name: "\xff"}); err == nil {
		t.Error("a name that is not UTF-8 is taken")
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add(mustEncode(f, samplePeer))
	f.Add(mustEncode(f, Peer{Node: 1}))
	f.Add([]byte{1, 1, 8, 0, 0, 0, 0, 0, 0, 0, 1, 9, 3, 'n', 'e', 'w'})
	f.Add([]byte{1, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, buf []byte) {
		p, err := decodeMetadata(buf)
		if err != nil {
			if p != (Peer{}) {
				t.Fatalf("a refused peer is returned: %+v", p)
			}
			return
		}
		if p.Node == 0 || p.Gossip != "" {
			t.Fatalf("accepted %+v", p)
		}
		again, err := decodeMetadata(mustEncode(t, p)) // shorter than what was taken
		if err != nil || again != p {
			t.Fatalf("%+v becomes %+v, %v", p, again, err)
		}
	})
}
