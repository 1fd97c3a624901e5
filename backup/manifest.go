package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"
)

// Format is the version of the form of backups that this version writes, and the highest that it
// reads.
const Format = 1

// manifestName is the object that makes a backup of a folder, and maxManifest bounds it, in bytes.
const (
	manifestName = "manifest.json"
	maxManifest  = 16 << 20
)

// Manifest says what a backup holds.
type Manifest struct {
	Format int `json:"format"`
	// Name is where it lies below the target: the cluster's id in hex, a slash, and the UTC time at
	// which it was begun with an id, so that names are in the order of their times.
	Name string `json:"name"`
	// Cluster is the id of the cluster, in hex, and Epoch how often that was restored.
	Cluster string `json:"cluster"`
	Epoch   uint64 `json:"epoch"`
	// Version is that of the program that wrote it.
	Version string `json:"version"`
	// TakenAt is a moment that no view is older than: all that was acknowledged before is there.
	TakenAt time.Time `json:"taken_at"`
	// Encrypted says that reading it needs an identity of age.
	Encrypted bool `json:"encrypted"`
	// Shards is the number of shards of the cluster. Objects has one for each, in their order.
	Shards  uint32   `json:"shards"`
	Objects []Object `json:"objects"`
	// SHA256 is over the manifest as it is stored, with zeros in this place.
	SHA256 string `json:"sha256"`
}

// Object is what a manifest says of the object of a shard.
type Object struct {
	Name  string `json:"name"`
	Shard uint32 `json:"shard"`
	// Index is the entry of the shard's log up to which it was applied.
	Index         uint64 `json:"index"`
	Records       uint64 `json:"records"`
	Conversations uint64 `json:"conversations"`
	// Bytes are those of the records, Stored those of the object.
	Bytes  uint64 `json:"bytes"`
	Stored uint64 `json:"stored"`
	SHA256 string `json:"sha256"`
}

// Totals are sums over all objects.
type Totals struct{ Records, Conversations, Bytes, Stored uint64 }

// Totals adds the objects up.
func (m *Manifest) Totals() Totals {
	var t Totals
	for _, o := range m.Objects {
		t.Records += o.Records
		t.Conversations += o.Conversations
		t.Bytes += o.Bytes
		t.Stored += o.Stored
	}
	return t
}

var (
	// ErrDamaged: a backup does not hold what was written.
	ErrDamaged = errors.New("backup: damaged")
	// ErrNone: there is no backup, or none of that name.
	ErrNone = errors.New("backup: there is none")
	// ErrNewer: a newer version wrote it.
	ErrNewer = errors.New("backup: a newer version wrote it")
)

var noSum = strings.Repeat("0", 2*sha256.Size)

// encode is the stored form.
func (m *Manifest) encode() ([]byte, error) {
	m.SHA256 = noSum
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	m.SHA256 = sumOf(data)
	return bytes.Replace(data, []byte(noSum), []byte(m.SHA256), 1), nil
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// decodeManifest reads the stored form, and rejects one that was changed.
func decodeManifest(name string, data []byte) (*Manifest, error) {
	m := &Manifest{}
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("%w: the manifest of %s can't be read: %w", ErrDamaged, name, err)
	}
	if m.Format > Format {
		return nil, fmt.Errorf("%w: %s has format %d, this version reads up to %d", ErrNewer, name, m.Format, Format)
	}
	if len(m.SHA256) != len(noSum) || sumOf(bytes.Replace(data, []byte(m.SHA256), []byte(noSum), 1)) != m.SHA256 {
		return nil, fmt.Errorf("%w: the manifest of %s was changed after it was written", ErrDamaged, name)
	}
	if m.Name != name {
		return nil, fmt.Errorf("%w: the manifest in %s is that of %s", ErrDamaged, name, m.Name)
	}
	for i, o := range m.Objects {
		if o.Shard != uint32(i)+1 {
			return nil, fmt.Errorf("%w: the manifest of %s lacks shard %d", ErrDamaged, name, i+1)
		}
	}
	if len(m.Objects) != int(m.Shards) || m.Shards == 0 {
		return nil, fmt.Errorf("%w: the manifest of %s has %d objects for %d shards", ErrDamaged, name, len(m.Objects),
			m.Shards)
	}
	return m, nil
}

// readManifest reads the manifest of a backup.
func readManifest(ctx context.Context, target Target, name string) (*Manifest, error) {
	in, err := target.Open(ctx, path.Join(name, manifestName))
	if errors.Is(err, ErrMissing) {
		return nil, fmt.Errorf("%w of the name %s: it has no manifest", ErrNone, name)
	}
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, maxManifest))
	if err != nil {
		return nil, err
	}
	return decodeManifest(name, data)
}

// Listed is a backup that was found. Manifest is nil where Err says why it can't be read.
type Listed struct {
	Name     string
	Manifest *Manifest
	Err      error
}

// List finds the backups of a target, the oldest of each cluster first.
func List(ctx context.Context, target Target) ([]Listed, error) {
	names, err := target.List(ctx, "")
	if err != nil {
		return nil, err
	}
	var found []Listed
	for _, name := range names {
		at, isManifest := strings.CutSuffix(name, "/"+manifestName)
		if !isManifest {
			continue
		}
		m, err := readManifest(ctx, target, at)
		found = append(found, Listed{at, m, err})
	}
	return found, nil
}

// Latest is the name that stands for the newest backup.
const Latest = "latest"

// Find returns a backup by its name, or the newest one that can be read, of whatever cluster.
func Find(ctx context.Context, target Target, name string) (*Manifest, error) {
	if name != Latest && name != "" {
		return readManifest(ctx, target, name)
	}
	all, err := List(ctx, target)
	if err != nil {
		return nil, err
	}
	var newest *Manifest
	var failed error
	for _, one := range all {
		switch {
		case one.Err != nil:
			failed = one.Err
		case newest == nil || one.Manifest.TakenAt.After(newest.TakenAt):
			newest = one.Manifest
		}
	}
	switch {
	case newest != nil:
		return newest, nil
	case failed != nil:
		return nil, failed
	}
	return nil, ErrNone
}

// Delete removes a backup: first its manifest, so that it is none any more, then all else.
func Delete(ctx context.Context, target Target, name string) error {
	names, err := target.List(ctx, name+"/")
	if err != nil {
		return err
	}
	manifest := path.Join(name, manifestName)
	slices.SortStableFunc(names, func(a, b string) int {
		switch manifest {
		case a:
			return -1
		case b:
			return 1
		}
		return 0
	})
	for _, object := range names {
		if err := target.Delete(ctx, object); err != nil {
			return err
		}
	}
	return nil
}
