package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

const (
	// MaxData bounds the bytes that an answer of a bot brings along, for each file.
	MaxData = 16 << 20
	// idLife is how long the id of an uploaded file is used; the provider keeps it for 30 days.
	idLife = 29 * 24 * time.Hour
	// uploadWithin bounds one upload.
	uploadWithin = 2 * time.Minute
	// maxUploads bounds the uploads of a channel that are under way, maxWaiting those that wait for
	// them: what waits is in memory.
	maxUploads, maxWaiting = 8, 16
	// maxIDs bounds the ids that are remembered.
	maxIDs = 10_000
	// maxRecent bounds the bytes that are kept in case that the provider has a file no longer.
	maxRecent = 64 << 20
)

// Store is where uploads go: a provider.Files, which says what its method promises.
type Store interface {
	// Upload stores a file.
	Upload(ctx context.Context, file provider.Upload) (id string, err error)
}

// Uploads stores the files of one channel's replies at the provider, each content once, and puts
// their ids into the replies: before the turn is committed, so that no file is in the log. It
// remembers ids in memory: after a restart, and on another node, a file is uploaded once more,
// which does no harm. It is safe for concurrent use.
type Uploads struct {
	store   Store
	dir     string
	metrics *Metrics
	now     func() time.Time
	slots   chan struct{}

	mu      sync.Mutex
	waiting int
	ids     map[digest]*stored
	paths   map[string]pathSum
	moved   map[string]string // ids that are gone, and what took their place
	recent  recent
}

type digest = [sha256.Size]byte

// stored is an upload. What it found is set when done is closed.
type stored struct {
	done  chan struct{}
	id    string
	err   error
	until time.Time
	// renewed: the provider had lost an earlier one. It is not renewed again.
	renewed bool
}

// NewUploads returns the uploads of a channel. Files of replies are below dir; where that is empty
// there are none.
func NewUploads(store Store, dir string, metrics *Metrics) *Uploads {
	return &Uploads{
		store: store, dir: dir, metrics: metrics, now: time.Now, slots: make(chan struct{}, maxUploads),
		ids: map[digest]*stored{}, paths: map[string]pathSum{}, moved: map[string]string{},
		recent: recent{held: map[digest][]byte{}},
	}
}

// Place uploads the files that replies bring along, and puts their ids in the place of them. The
// error names the reply; it wraps provider.ErrFileRejected where another try does not help.
func (u *Uploads) Place(ctx context.Context, replies []*wactorv1.Reply) error {
	for i, reply := range replies {
		for _, m := range filesOf(reply) {
			if !brings(m) {
				continue
			}
			if err := u.place(ctx, m); err != nil {
				return fmt.Errorf("replies[%d]: media: %w", i, err)
			}
		}
	}
	return nil
}

// PlaceKnown does what Place does where nothing has to be read or uploaded for it; false where
// something has, and then replies are as they were.
func (u *Uploads) PlaceKnown(replies []*wactorv1.Reply) bool {
	type known struct {
		file *wactorv1.Media
		sum  digest
		id   string
	}
	var all []known
	for _, reply := range replies {
		for _, m := range filesOf(reply) {
			if !brings(m) {
				continue
			}
			sum, ok := u.freshSum(m)
			id := u.known(sum)
			if !ok || id == "" {
				return false
			}
			all = append(all, known{m, sum, id})
		}
	}
	for _, k := range all {
		replace(k.file, k.sum, k.id)
	}
	return true
}

// brings reports whether a file has to be uploaded.
func brings(m *wactorv1.Media) bool { return m.GetFile() != "" || len(m.GetData()) > 0 }

// replace puts an id in the place of a file. The hash stays, by which the file is found again.
func replace(m *wactorv1.Media, sum digest, id string) {
	m.Id, m.Sha256, m.File, m.Data, m.Url = id, hex.EncodeToString(sum[:]), "", nil, ""
}

func (u *Uploads) place(ctx context.Context, m *wactorv1.Media) error {
	source, err := u.open(m)
	if err != nil {
		return err
	}
	defer source.close()
	id, err := u.upload(ctx, source, "")
	if err != nil {
		return err
	}
	replace(m, source.sum, id)
	return nil
}

// upload returns the id of a content, which it uploads where it is not known; one upload serves all
// that want it at the moment. gone is an id that the provider does not know any more, if any.
func (u *Uploads) upload(ctx context.Context, source *source, gone string) (id string, err error) {
	one, mine, err := u.join(source.sum, gone)
	if err != nil {
		return "", err
	}
	if mine {
		one.renewed = gone != ""
		u.run(ctx, source, one)
		return one.id, one.err
	}
	select {
	case <-one.done:
		return one.id, one.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

var errManyUploads = errors.New("too many uploads are under way")

// join returns the upload of a content; mine says that the caller has to run it.
func (u *Uploads) join(sum digest, gone string) (one *stored, mine bool, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if one := u.ids[sum]; one != nil && (one.pending() || one.id != gone && u.now().Before(one.until)) {
		return one, false, nil
	}
	if u.waiting >= maxWaiting {
		return nil, false, errManyUploads
	}
	if len(u.ids) >= maxIDs {
		u.sweep()
	}
	u.waiting++
	one = &stored{done: make(chan struct{})}
	u.ids[sum] = one
	return one, true, nil
}

func (s *stored) pending() bool {
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}

// run uploads, even if the one who came first leaves: others wait for the id.
func (u *Uploads) run(ctx context.Context, source *source, one *stored) {
	one.err = errors.New("media: the upload broke off") // where the store panics
	defer func() {
		u.mu.Lock()
		u.waiting--
		if one.err != nil && u.ids[source.sum] == one {
			delete(u.ids, source.sum)
		}
		u.mu.Unlock()
		close(one.done)
	}()
	u.slots <- struct{}{}
	defer func() { <-u.slots }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), uploadWithin)
	defer cancel()
	one.id, one.err = u.store.Upload(ctx, provider.Upload{
		MIMEType: source.mimeType, Size: source.size, Content: source.content(),
	})
	one.until = u.now().Add(idLife)
	u.metrics.upload(source.size, one.err)
}

// known returns the id of a content; empty where it is not known.
func (u *Uploads) known(sum digest) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if one := u.ids[sum]; one != nil && !one.pending() && u.now().Before(one.until) {
		return one.id
	}
	return ""
}

// sweep makes room: what has expired, else what comes first.
func (u *Uploads) sweep() {
	now := u.now()
	for sum, one := range u.ids {
		if !one.pending() && (!now.Before(one.until) || len(u.ids) >= maxIDs) {
			delete(u.ids, sum)
		}
	}
}

// source is a content that can be uploaded.
type source struct {
	sum      digest
	size     int64
	mimeType string
	data     []byte
	file     *os.File
}

func (s *source) content() io.Reader {
	if s.file != nil {
		return io.NewSectionReader(s.file, 0, s.size)
	}
	return bytes.NewReader(s.data)
}

func (s *source) close() {
	if s.file != nil {
		s.file.Close()
	}
}

// open reads what a reply brings along.
func (u *Uploads) open(m *wactorv1.Media) (*source, error) {
	if m.GetFile() != "" {
		return u.openFile(m)
	}
	if len(m.Data) > MaxData {
		return nil, fmt.Errorf("data: %d bytes, at most %d: %w", len(m.Data), MaxData, provider.ErrFileRejected)
	}
	s := &source{
		sum: sha256.Sum256(m.Data), size: int64(len(m.Data)), data: m.Data, mimeType: typeOf(m, m.Data),
	}
	u.mu.Lock()
	u.recent.add(s.sum, m.Data)
	u.mu.Unlock()
	return s, nil
}
