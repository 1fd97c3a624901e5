package gossip

import (
	"bytes"
	"compress/lzw"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// publicKey is that of clusters on loopback without a secret (trust.Loopback), under which the
// files in testdata are sealed.
const publicKey = "9c22a0bdc851606d265110c32e2adcb19bec2a64e7117620ac4338a4791cad7b"

func testGuard(t testing.TB, key []byte) *guard {
	g, err := newGuard("wactor", [][]byte{key})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// seal encrypts as nodes do.
func seal(t testing.TB, version byte, key, plain, additional []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	sealed := append([]byte{version}, make([]byte, nonceSize)...)
	return gcm.Seal(sealed, sealed[1:], plain, additional)
}

func labelled(rest []byte) []byte { return append([]byte("\xf4\x06wactor"), rest...) }

// packed is a compressed message.
func packed(t testing.TB, plain []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := lzw.NewWriter(&buf, lzw.LSB, 8)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	w.Close()
	out := []byte{typeCompressed, 0x82, 0xa4, 'A', 'l', 'g', 'o', 0x00, 0xa3, 'B', 'u', 'f', 0xc6}
	out = binary.BigEndian.AppendUint32(out, uint32(buf.Len()))
	return append(out, buf.Bytes()...)
}

// compound is a message made of others.
func compound(parts ...[]byte) []byte {
	out := []byte{typeCompound, byte(len(parts))}
	for _, p := range parts {
		out = binary.BigEndian.AppendUint16(out, uint16(len(p)))
	}
	return append(out, bytes.Join(parts, nil)...)
}

var ping = []byte{typePing, 0x82, 0xa5, 'S', 'e', 'q', 'N', 'o', 0x07, 0xa4, 'N', 'o', 'd', 'e', 0xa1, 'n'}

// TestPacketsThatNoNodeSendsAreRejected: each of these either ended the process or took up a
// thousand times its size.
func TestPacketsThatNoNodeSendsAreRejected(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	g := testGuard(t, key)
	nested := bytes.Repeat([]byte{0x91}, 1000)
	for name, test := range map[string]struct {
		version byte
		plain   []byte
		allowed bool
	}{
		"a ping":                        {1, ping, true},
		"user data":                     {1, []byte{typeUser, 1, 2, 3}, true},
		"a compound":                    {1, compound(ping, ping), true},
		"a compressed ping":             {1, packed(t, ping), true},
		"a compressed compound":         {1, packed(t, compound(ping, ping)), true},
		"padded encryption":             {0, bytes.Repeat([]byte{16}, 16), false},
		"nothing":                       {1, nil, false},
		"a bomb":                        {1, packed(t, append([]byte{typeUser}, make([]byte, 60<<20)...)), false},
		"compressed twice":              {1, packed(t, packed(t, ping)), false},
		"a compound of compressed ones": {1, compound(packed(t, ping)), false},
		"a compound of compounds":       {1, compound(compound(ping)), false},
		"compressed nothing":            {1, packed(t, nil), false},
		"an empty part":                 {1, compound(nil), false},
		"a compound that is cut off":    {1, []byte{typeCompound, 3, 0, 1}, false},
		"a ping with more behind":       {1, append(bytes.Clone(ping), 0), false},
		"a map without end":             {1, []byte{typeAlive, 0xdf, 0xff, 0xff, 0xff, 0xff}, false},
		"a value without end":           {1, []byte{typeDead, 0x81, 0xa1, 'a', 0xc6, 0xff, 0xff, 0xff, 0xff}, false},
		"arrays within arrays":          {1, append([]byte{typeAlive, 0x81, 0xa1, 'a'}, nested...), false},
		"a state":                       {1, []byte{typePushPull, 0x80}, false},
		"a type that there is not":      {1, []byte{99, 0x80}, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := g.packet(labelled(seal(t, test.version, key, test.plain, []byte("wactor"))))
			if test.allowed && err != nil || !test.allowed && !errors.Is(err, errMalformed) {
				t.Errorf("got %v", err)
			}
		})
	}
	if err := g.packet(labelled(seal(t, 1, bytes.Repeat([]byte{8}, 32), nil, nil))); !errors.Is(err, errForeign) {
		t.Errorf("a packet under another key: %v", err)
	}
}

func TestFramesThatNoNodeSendsAreRejected(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	g := testGuard(t, key)
	state := func(nodes, more byte, rest ...byte) []byte {
		head := []byte{typePushPull, 0x83, 0xa5, 'N', 'o', 'd', 'e', 's', nodes, 0xac}
		head = append(append(head, "UserStateLen"...), more, 0xa4, 'J', 'o', 'i', 'n', 0xc2)
		return append(head, rest...)
	}
	manyNodes := append([]byte{typePushPull, 0x81, 0xa5, 'N', 'o', 'd', 'e', 's'}, 0xce, 0, 0x0f, 0xff, 0xff)
	for name, test := range map[string]struct {
		plain   []byte
		allowed bool
	}{
		"a ping":                       {ping, true},
		"a state":                      {state(1, 2, 0x80, 9, 9), true},
		"a compressed state":           {packed(t, state(1, 0, 0x80)), true},
		"nothing":                      {nil, false},
		"compressed nothing":           {packed(t, nil), false},
		"a bomb":                       {packed(t, append([]byte{typePushPull}, make([]byte, 30<<20)...)), false},
		"a million nodes":              {manyNodes, false},
		"nodes that are not there":     {state(3, 0, 0x80), false},
		"hints that are not there":     {state(0, 100), false},
		"a number of nodes below zero": {state(0xff, 0), false},
		"user data":                    {[]byte{typeUser, 0x80}, false},
	} {
		t.Run(name, func(t *testing.T) {
			head := append([]byte{typeEncrypted}, 0, 0, 0, 9)
			err := g.frame(head, seal(t, 1, key, test.plain, append(bytes.Clone(head), "wactor"...)))
			if test.allowed && err != nil || !test.allowed && !errors.Is(err, errMalformed) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestNodesOutliveAttacks: what ended the process is counted, and the node gossips on.
func TestNodesOutliveAttacks(t *testing.T) {
	key, err := hex.DecodeString(publicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := func(o *Options) { o.Label, o.Keys = "wactor", [][]byte{key} }
	a := join(t, 1, public)
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	conn, err := net.Dial("udp", a.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(read("packet-padded.bin")); err != nil {
		t.Fatal(err)
	}
	stream, err := net.Dial("tcp", a.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Write(read("stream-empty.bin")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both were rejected", func() bool { return a.Rejected() == 2 })
	b := join(t, 2, public, a.Address())
	eventually(t, "the node gossips on", func() bool { return a.sees(2) && b.sees(1) })
	if b.Rejected() != 0 || a.Rejected() != 2 {
		t.Errorf("honest gossip was rejected: %d and %d", a.Rejected(), b.Rejected())
	}
}

// TestStrangersStreamsAreBounded: those who connect and send nothing take up no more than so many.
func TestStrangersStreamsAreBounded(t *testing.T) {
	a := join(t, 1, nil)
	for range 3 * maxStreams {
		conn, err := net.Dial("tcp", a.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	eventually(t, "streams are open", func() bool { return a.transport.open.Load() > 0 })
	if open := a.transport.open.Load(); open > maxStreams {
		t.Errorf("%d streams are open", open)
	}
	eventually(t, "they end", func() bool { return a.transport.open.Load() == 0 })
}

// FuzzGuard: whatever comes under the right key is rejected or let through, quickly, without a
// panic.
func FuzzGuard(f *testing.F) {
	key := bytes.Repeat([]byte{7}, 32)
	g := testGuard(f, key)
	for _, plain := range [][]byte{ping, compound(ping, ping), packed(f, ping), {typePushPull, 0x80}, {typeCompound}} {
		f.Add(plain)
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		began := time.Now()
		_ = g.packet(labelled(seal(t, 1, key, plain, []byte("wactor"))))
		_ = g.packet(plain)
		head := []byte{typeEncrypted, 0, 0, 0, 9}
		_ = g.frame(head, seal(t, 1, key, plain, append(bytes.Clone(head), "wactor"...)))
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
