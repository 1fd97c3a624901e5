package media

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

const (
	// maxFile bounds a file of a flow: what the provider takes of a document.
	maxFile = 100 << 20
	// maxPaths bounds the paths whose hashes are remembered.
	maxPaths = 10_000
	// freshFor is how long a file is taken for unchanged without a look at it.
	freshFor = 10 * time.Second
)

// pathSum is the hash of a file as it was.
type pathSum struct {
	sum     digest
	size    int64
	changed time.Time
	looked  time.Time
}

// freshSum returns the hash of a file that was looked at a moment ago.
func (u *Uploads) freshSum(m *wactorv1.Media) (digest, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	known, ok := u.paths[m.GetFile()]
	return known.sum, ok && u.now().Sub(known.looked) < freshFor
}

// openFile opens a file below the folder, and nothing that lies elsewhere: neither .. nor a link
// leads out of it.
func (u *Uploads) openFile(m *wactorv1.Media) (*source, error) {
	if u.dir == "" {
		return nil, fmt.Errorf("file: media.dir is not set: %w", provider.ErrFileRejected)
	}
	file, err := os.OpenInRoot(u.dir, filepath.FromSlash(m.File))
	if err != nil {
		return nil, fmt.Errorf("file: %s: %w", whyNot(err), provider.ErrFileRejected)
	}
	s := &source{file: file}
	if err := u.sumOf(m.File, s); err != nil {
		s.close()
		return nil, err
	}
	if s.mimeType = m.GetMimeType(); s.mimeType == "" {
		s.mimeType = typeByName(m.File)
	}
	if s.mimeType == "" {
		head := make([]byte, 512)
		n, _ := file.ReadAt(head, 0)
		s.mimeType = typeOf(m, head[:n])
	}
	return s, nil
}

// typeByName is the MIME type of a file's extension; empty where none is known.
func typeByName(path string) string {
	kind, _, _ := strings.Cut(mime.TypeByExtension(filepath.Ext(path)), ";")
	return kind
}

// whyNot is what an error says without the path.
func whyNot(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file below media.dir"
	case errors.Is(err, fs.ErrPermission):
		return "the file can't be read"
	}
	return "not a path below media.dir"
}

// sumOf hashes a file, unless it is as it was.
func (u *Uploads) sumOf(path string, s *source) error {
	info, err := s.file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 || info.Size() > maxFile {
		return fmt.Errorf("file: not a file of 1 byte to 100 MiB: %w", provider.ErrFileRejected)
	}
	u.mu.Lock()
	known, ok := u.paths[path]
	u.mu.Unlock()
	s.size = info.Size()
	if !ok || known.size != info.Size() || !known.changed.Equal(info.ModTime()) {
		hash := sha256.New()
		if _, err := io.Copy(hash, io.NewSectionReader(s.file, 0, s.size)); err != nil {
			return errors.New("file: the file can't be read")
		}
		known = pathSum{sum: digest(hash.Sum(nil)), size: info.Size(), changed: info.ModTime()}
	}
	s.sum, known.looked = known.sum, u.now()
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.paths) >= maxPaths {
		clear(u.paths)
	}
	u.paths[path] = known
	return nil
}

// typeOf is the MIME type that a bot names, or the one that the content looks like.
func typeOf(m *wactorv1.Media, content []byte) string {
	if m.GetMimeType() != "" {
		return m.MimeType
	}
	kind, _, _ := strings.Cut(http.DetectContentType(content), ";")
	if kind == "application/ogg" {
		return "audio/ogg" // a voice note
	}
	return kind
}

// filesOf are the files of a reply: what it sends, or shows above its text.
func filesOf(reply *wactorv1.Reply) []*wactorv1.Media {
	if m := reply.GetMedia(); m != nil {
		return []*wactorv1.Media{m}
	}
	for _, header := range []*wactorv1.Header{
		reply.GetButtons().GetHeader(), reply.GetList().GetHeader(), reply.GetCta().GetHeader(),
	} {
		if m := header.GetMedia(); m != nil {
			return []*wactorv1.Media{m}
		}
	}
	return nil
}

// recent holds the newest contents, up to a number of bytes.
type recent struct {
	held  map[digest][]byte
	order []digest
	bytes int
}

func (r *recent) add(sum digest, content []byte) {
	if _, ok := r.held[sum]; ok {
		return
	}
	r.held[sum], r.order, r.bytes = content, append(r.order, sum), r.bytes+len(content)
	for r.bytes > maxRecent && len(r.order) > 1 {
		r.bytes -= len(r.held[r.order[0]])
		delete(r.held, r.order[0])
		r.order = r.order[1:]
	}
}
