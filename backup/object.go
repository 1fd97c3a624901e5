package backup

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"

	"filippo.io/age"
	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/wactor/wactor/persistence/record"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// An object is magic, the name of the backup and the shard, then records, each as the length of its
// key, key, length of its value, value, and a key of length 0 with the number of records and their
// checksum. Lengths and numbers are varints. All of it is compressed, and then encrypted.
const (
	magic = "wactor backup 1\n"
	// maxKey and maxValue bound a record, in bytes: what is larger was never written.
	maxKey   = 1 << 20
	maxValue = 64 << 20
	maxName  = 1 << 10
	// maxWindow bounds the memory that decompression takes, in bytes.
	maxWindow = 8 << 20
)

// objectName is that of a shard's object.
func objectName(backup string, shard uint32) string {
	return path.Join(backup, fmt.Sprintf("shard-%04d.wbk", shard))
}

// objectWriter writes the object of a shard.
type objectWriter struct {
	draft  Draft
	stored *counted
	layers []io.WriteCloser // from the outermost to the file
	out    *bufio.Writer
	sum    *xxhash.Digest
	said   Object
	length [binary.MaxVarintLen64]byte
}

// counted counts and hashes what is written.
type counted struct {
	io.Writer
	bytes uint64
	hash  hash.Hash
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.bytes += uint64(n)
	_, _ = c.hash.Write(p[:n])
	return n, err
}

// newObject begins the object of a shard.
func newObject(ctx context.Context, target Target, backup string, shard uint32,
	recipients []age.Recipient) (*objectWriter, error) {
	w := &objectWriter{sum: xxhash.New(), said: Object{Name: objectName(backup, shard), Shard: shard}}
	var err error
	if w.draft, err = target.Create(ctx, w.said.Name); err != nil {
		return nil, err
	}
	w.stored = &counted{Writer: w.draft, hash: sha256.New()}
	var next io.Writer = w.stored
	if len(recipients) > 0 {
		sealed, err := age.Encrypt(next, recipients...)
		if err != nil {
			w.draft.Abort()
			return nil, err
		}
		w.layers = append(w.layers, sealed)
		next = sealed
	}
	packed, err := zstd.NewWriter(next, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		w.draft.Abort()
		return nil, err
	}
	w.layers = append(w.layers, packed)
	w.out = bufio.NewWriterSize(packed, 64<<10)
	_, _ = w.out.WriteString(magic)
	w.field([]byte(backup))
	w.number(uint64(shard))
	return w, nil
}

// number and field put off their errors until finish, as bufio does.
func (w *objectWriter) number(n uint64) {
	_, _ = w.out.Write(w.length[:binary.PutUvarint(w.length[:], n)])
}

func (w *objectWriter) field(data []byte) {
	w.number(uint64(len(data)))
	_, _ = w.out.Write(data)
}

// add writes a record: its key without the shard.
func (w *objectWriter) add(key, value []byte) error {
	if len(key) > maxKey || len(value) > maxValue {
		return fmt.Errorf("backup: a record of shard %d has %d bytes", w.said.Shard, len(key)+len(value))
	}
	addRecord(w.sum, key, value)
	w.said.Records++
	w.said.Bytes += uint64(len(key) + len(value))
	if isHead(key) {
		w.said.Conversations++
	}
	w.number(uint64(len(key)))
	_, _ = w.out.Write(key)
	w.number(uint64(len(value)))
	_, err := w.out.Write(value)
	return err
}

// addRecord adds a record to a checksum, which is that of store.Checksum.
func addRecord(sum *xxhash.Digest, key, value []byte) {
	var length [binary.MaxVarintLen64]byte
	for _, part := range [][]byte{key, value} {
		_, _ = sum.Write(length[:binary.PutUvarint(length[:], uint64(len(part)))])
		_, _ = sum.Write(part)
	}
}

// isHead reports whether a key is that of a conversation's head.
func isHead(key []byte) bool {
	_, kind, _, ok := cutConversation(key)
	return ok && kind == wactorv1.RecordKind_RECORD_KIND_HEAD
}

// cutConversation takes the key of a record apart that lies with its conversation.
func cutConversation(key []byte) (name string, kind wactorv1.RecordKind, suffix []byte, ok bool) {
	if len(key) == 0 || record.Class(key[0]) != record.ClassConversation {
		return "", 0, nil, false
	}
	name, rest, ok := record.CutName(key[1:])
	if !ok {
		return "", 0, nil, false
	}
	kind, suffix, ok = record.CutKind(rest)
	return name, kind, suffix, ok
}

// commit ends the object, and says what it holds.
func (w *objectWriter) commit() (Object, error) {
	w.number(0)
	w.number(w.said.Records)
	_, _ = w.out.Write(binary.BigEndian.AppendUint64(nil, w.sum.Sum64()))
	err := w.out.Flush()
	for i := len(w.layers) - 1; i >= 0 && err == nil; i-- {
		err = w.layers[i].Close()
	}
	if err == nil {
		err = w.draft.Commit()
	}
	w.said.Stored, w.said.SHA256 = w.stored.bytes, hex.EncodeToString(w.stored.hash.Sum(nil))
	return w.said, err
}

func (w *objectWriter) abort() { w.draft.Abort() }

// ErrKey: an encrypted backup, and no identity that opens it.
var ErrKey = errors.New("backup: it is encrypted, and none of the identities opens it")

// readObject calls each with the records of a shard, in the order of their keys. What it has seen
// is what was written only once it has returned without an error.
func readObject(ctx context.Context, target Target, m *Manifest, o Object, identities []age.Identity,
	each func(key, value []byte) error) error {
	return readStored(ctx, target, o, func(in io.Reader) error { return readRecords(in, m, o, identities, each) })
}

// readStored has an object read, and compares it with its hash. The error of a difference goes
// before that of what was read.
func readStored(ctx context.Context, target Target, o Object, read func(io.Reader) error) error {
	file, err := target.Open(ctx, o.Name)
	if errors.Is(err, ErrMissing) {
		return fmt.Errorf("%w: the object of shard %d is missing", ErrDamaged, o.Shard)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	stored := &hashedReader{Reader: file, hash: sha256.New()}
	err = read(stored)
	var stop ended
	if errors.As(err, &stop) {
		return stop.error
	}
	_, _ = io.Copy(io.Discard, stored)
	if stored.failed != nil { // of the target, not of what it holds
		return fmt.Errorf("backup: reading the object of shard %d failed: %w", o.Shard, stored.failed)
	}
	if sum := hex.EncodeToString(stored.hash.Sum(nil)); sum != o.SHA256 || stored.bytes != o.Stored {
		return fmt.Errorf("%w: the object of shard %d is not the one that was written: it has %d bytes of %d",
			ErrDamaged, o.Shard, stored.bytes, o.Stored)
	}
	if err != nil && !errors.Is(err, ErrKey) {
		return fmt.Errorf("%w: the object of shard %d: %w", ErrDamaged, o.Shard, err)
	}
	return err
}

// hashedReader counts and hashes what is read.
type hashedReader struct {
	io.Reader
	bytes  uint64
	hash   hash.Hash
	failed error
}

func (r *hashedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.bytes += uint64(n)
	_, _ = r.hash.Write(p[:n])
	if err != nil && !errors.Is(err, io.EOF) {
		r.failed = err
	}
	return n, err
}

// ended is what the caller's function returned.
type ended struct{ error }

func readRecords(stored io.Reader, m *Manifest, o Object, identities []age.Identity,
	each func(key, value []byte) error) error {
	if m.Encrypted {
		opened, err := age.Decrypt(stored, identities...)
		var none *age.NoIdentityMatchError
		switch {
		case len(identities) == 0, errors.As(err, &none):
			return ErrKey
		case err != nil:
			return err
		}
		stored = opened
	}
	packed, err := zstd.NewReader(stored, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow),
		zstd.WithDecoderLowmem(true))
	if err != nil {
		return err
	}
	defer packed.Close()
	r := recordReader{in: bufio.NewReaderSize(packed, 64<<10), sum: xxhash.New()}
	if err := r.header(m.Name, o.Shard); err != nil {
		return err
	}
	for {
		key, value, err := r.next()
		switch {
		case err != nil:
			return err
		case key == nil && r.records != o.Records:
			return fmt.Errorf("it holds %d records, and the manifest says %d", r.records, o.Records)
		case key == nil:
			return nil
		}
		if err := each(key, value); err != nil {
			return ended{err}
		}
	}
}

// recordReader reads what is in an object.
type recordReader struct {
	in         *bufio.Reader
	sum        *xxhash.Digest
	records    uint64
	key, value []byte
	last       []byte
}

func (r *recordReader) header(backup string, shard uint32) error {
	begin := make([]byte, len(magic))
	if _, err := io.ReadFull(r.in, begin); err != nil {
		return err
	}
	if string(begin) != magic {
		return errors.New("it is no object of a backup")
	}
	name, err := r.field(nil, maxName)
	if err != nil {
		return err
	}
	number, err := binary.ReadUvarint(r.in)
	switch {
	case err != nil:
		return err
	case string(name) != backup:
		return errors.New("it belongs to another backup")
	case number != uint64(shard):
		return fmt.Errorf("it is that of shard %d", number)
	}
	return nil
}

// field reads into memory that grows with what is there, not with what is said to be there.
func (r *recordReader) field(into []byte, most uint64) ([]byte, error) {
	length, err := binary.ReadUvarint(r.in)
	if err != nil {
		return nil, err
	}
	if length > most {
		return nil, fmt.Errorf("a field of %d bytes", length)
	}
	const step = 1 << 20
	for into = into[:0]; length > 0; {
		n := int(min(length, step))
		at := len(into)
		into = append(into, make([]byte, n)...)
		if _, err := io.ReadFull(r.in, into[at:]); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		length -= uint64(n)
	}
	return into, nil
}

// next returns the next record, valid until the one after; no key behind the last one.
func (r *recordReader) next() (key, value []byte, err error) {
	if r.key, err = r.field(r.key, maxKey); err != nil {
		return nil, nil, err
	}
	if len(r.key) == 0 {
		return nil, nil, r.trailer()
	}
	if r.value, err = r.field(r.value, maxValue); err != nil {
		return nil, nil, err
	}
	if bytes.Compare(r.key, r.last) <= 0 || record.Class(r.key[0]) < record.ClassConversation {
		return nil, nil, errors.New("keys are not in their order")
	}
	r.last = append(r.last[:0], r.key...)
	addRecord(r.sum, r.key, r.value)
	r.records++
	return r.key, r.value, nil
}

func (r *recordReader) trailer() error {
	records, err := binary.ReadUvarint(r.in)
	if err != nil {
		return io.ErrUnexpectedEOF
	}
	var sum [8]byte
	if _, err := io.ReadFull(r.in, sum[:]); err != nil {
		return io.ErrUnexpectedEOF
	}
	if records != r.records || binary.BigEndian.Uint64(sum[:]) != r.sum.Sum64() {
		return errors.New("its records are not those that were written")
	}
	if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
		return errors.New("something follows its end")
	}
	return nil
}
