package backup

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"time"

	"filippo.io/age"

	"github.com/wactor/wactor/internal/pause"
)

// Options say how a backup is made.
type Options struct {
	// Recipients are those for whom it is encrypted; none: it is not.
	Recipients []age.Recipient
	// Rate bounds what is read, in bytes a second; 0 does not.
	Rate int64
	// Version is that of the program.
	Version string
	// Now is the time. Default time.Now.
	Now func() time.Time
}

// Created is a backup that was made, and for how long conversations took nothing from each other.
type Created struct {
	*Manifest
	Held time.Duration
}

// Create makes a backup. Memory does not grow with what it holds. Where it fails, or ctx ends, what
// was written is removed, and no backup is there.
func Create(ctx context.Context, cluster Cluster, target Target, options Options) (*Created, error) {
	now := time.Now
	if options.Now != nil {
		now = options.Now
	}
	id := fmt.Sprintf("%016x", cluster.Cluster())
	m := &Manifest{
		Format: Format, Name: path.Join(id, nameAt(now())), Cluster: id, Version: options.Version,
		Encrypted: len(options.Recipients) > 0, Shards: cluster.Shards(),
	}
	c, err := takeCut(ctx, cluster)
	if err != nil {
		return nil, err
	}
	defer c.close()
	m.Epoch, m.TakenAt = c.epoch, c.takenAt.UTC()
	pace := &pacer{rate: options.Rate, began: time.Now()}
	for shard := uint32(1); shard <= m.Shards && err == nil; shard++ {
		var o Object
		if o, err = writeShard(ctx, c, target, m.Name, shard, options.Recipients, pace); err == nil {
			o.Index = c.index[shard]
			m.Objects = append(m.Objects, o)
		}
	}
	if err == nil {
		err = writeManifest(ctx, target, m)
	}
	if err != nil {
		removeDraft(ctx, target, m.Name)
		return nil, err
	}
	return &Created{m, c.held}, nil
}

// nameTime is the time in a name.
const nameTime = "20060102T150405Z"

// nameAt names a backup that is begun at a time.
func nameAt(at time.Time) string {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails
	return at.UTC().Format(nameTime) + "-" + hex.EncodeToString(id[:])
}

// cleanUpWithin bounds the removal of a backup that failed. What is left all the same has no
// manifest, and is removed by the retention.
const cleanUpWithin = 30 * time.Second

func removeDraft(ctx context.Context, target Target, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpWithin)
	defer cancel()
	_ = Delete(ctx, target, name)
}

func writeShard(ctx context.Context, c *cut, target Target, name string, shard uint32,
	recipients []age.Recipient, pace *pacer) (Object, error) {
	w, err := newObject(ctx, target, name, shard, recipients)
	if err != nil {
		return Object{}, fmt.Errorf("backup: writing shard %d failed: %w", shard, err)
	}
	defer w.abort()
	err = c.by[shard].Read(ctx, shard, func(key, value []byte) error {
		if err := pace.wait(ctx, len(key)+len(value)); err != nil {
			return err
		}
		return w.add(key, value)
	})
	if err != nil {
		return Object{}, fmt.Errorf("backup: reading shard %d failed: %w", shard, err)
	}
	o, err := w.commit()
	if err != nil {
		return Object{}, fmt.Errorf("backup: writing shard %d failed: %w", shard, err)
	}
	return o, nil
}

func writeManifest(ctx context.Context, target Target, m *Manifest) error {
	data, err := m.encode()
	if err != nil {
		return err
	}
	draft, err := target.Create(ctx, path.Join(m.Name, manifestName))
	if err != nil {
		return fmt.Errorf("backup: writing the manifest failed: %w", err)
	}
	defer draft.Abort()
	if _, err = io.Writer(draft).Write(data); err == nil {
		err = draft.Commit()
	}
	if err != nil {
		return fmt.Errorf("backup: writing the manifest failed: %w", err)
	}
	return nil
}

// paceBytes are read between two looks at the clock, at most.
const paceBytes = 64 << 10

// pacer keeps what is read below a rate.
type pacer struct {
	rate  int64
	began time.Time
	bytes int64
	until int64 // looked at the clock when so much was read
}

// wait waits until as many bytes more may be read.
func (p *pacer) wait(ctx context.Context, bytes int) error {
	p.bytes += int64(bytes)
	if p.rate > 0 && p.bytes >= p.until {
		due := time.Duration(float64(p.bytes) / float64(p.rate) * float64(time.Second))
		pause.For(ctx, due-time.Since(p.began))
		p.until = p.bytes + min(paceBytes, p.rate/8)
	}
	return ctx.Err()
}
