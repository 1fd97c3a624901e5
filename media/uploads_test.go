package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// shelf is a Store for tests.
type shelf struct {
	mu    sync.Mutex
	got   []string // "type content" of each upload
	fail  error
	begun chan struct{} // where set, each upload reports and waits
	wait  chan struct{}
}

func (s *shelf) Upload(_ context.Context, file provider.Upload) (string, error) {
	content, err := io.ReadAll(file.Content)
	if err != nil || int64(len(content)) != file.Size {
		return "", fmt.Errorf("%d bytes, %w", len(content), err)
	}
	if s.begun != nil {
		s.begun <- struct{}{}
		<-s.wait
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return "", s.fail
	}
	s.got = append(s.got, file.MIMEType+" "+string(content))
	return fmt.Sprint("id", len(s.got)), nil
}

func newTestUploads(t *testing.T) (*Uploads, *shelf, string) {
	store, dir := &shelf{}, t.TempDir()
	return NewUploads(store, dir, NewMetrics(nil)), store, dir
}

func data(content string) *wactorv1.Reply {
	return &wactorv1.Reply{Content: &wactorv1.Reply_Media{Media: &wactorv1.Media{Type: "image", Data: []byte(content)}}}
}

func named(path string) *wactorv1.Reply {
	return &wactorv1.Reply{Content: &wactorv1.Reply_Media{Media: &wactorv1.Media{Type: "document", File: path}}}
}

// TestOneUploadForAThousandReplies: with the same picture, at once and later.
func TestOneUploadForAThousandReplies(t *testing.T) {
	u, store, dir := newTestUploads(t)
	if err := os.WriteFile(filepath.Join(dir, "menu.pdf"), []byte("menu"), 0o600); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			text := &wactorv1.Reply{Content: &wactorv1.Reply_Text{Text: "a"}}
			replies := []*wactorv1.Reply{data("\x89PNG\r\n\x1a\ncake"), text, named("menu.pdf")}
			if i%2 == 0 {
				time.Sleep(time.Millisecond)
			}
			if err := u.Place(t.Context(), replies); err != nil {
				t.Error(err)
			}
			for _, m := range []*wactorv1.Media{replies[0].GetMedia(), replies[2].GetMedia()} {
				if m.Id == "" || m.Data != nil || m.File != "" || provider.ParseSHA256(m.Sha256) == nil {
					t.Errorf("placed: %v", m)
				}
			}
		})
	}
	all.Wait()
	got := strings.Join(store.got, ",")
	if len(store.got) != 2 || !strings.Contains(got, "image/png \x89PNG") ||
		!strings.Contains(got, "application/pdf menu") {
		t.Errorf("uploads: %q", store.got)
	}
	u.now = func() time.Time { return time.Now().Add(idLife) }
	err := u.Place(t.Context(), []*wactorv1.Reply{data("\x89PNG\r\n\x1a\ncake")})
	if err != nil || len(store.got) != 3 {
		t.Errorf("after 29 days: %v, %d uploads", err, len(store.got))
	}
}

func TestHeadersAreUploaded(t *testing.T) {
	u, store, _ := newTestUploads(t)
	header := &wactorv1.Header{Content: &wactorv1.Header_Media{Media: data("cake").GetMedia()}}
	replies := []*wactorv1.Reply{
		{Content: &wactorv1.Reply_Buttons{Buttons: &wactorv1.Buttons{Header: header}}},
	}
	if err := u.Place(t.Context(), replies); err != nil || header.GetMedia().Id == "" || len(store.got) != 1 {
		t.Errorf("%v %v", header, err)
	}
}

// TestInlineRepliesWaitForNothing: what is not stored yet, or was not looked at a moment ago, is
// left to a turn that may wait.
func TestInlineRepliesWaitForNothing(t *testing.T) {
	u, store, dir := newTestUploads(t)
	if err := os.WriteFile(filepath.Join(dir, "menu.pdf"), []byte("menu"), 0o600); err != nil {
		t.Fatal(err)
	}
	reply := []*wactorv1.Reply{named("menu.pdf")}
	if u.PlaceKnown(reply) || reply[0].GetMedia().File != "menu.pdf" {
		t.Error("an unknown file is known")
	}
	if err := u.Place(t.Context(), []*wactorv1.Reply{named("menu.pdf")}); err != nil {
		t.Fatal(err)
	}
	if !u.PlaceKnown(reply) || reply[0].GetMedia().Id != "id1" || len(store.got) != 1 {
		t.Errorf("%v", reply)
	}
	u.now = func() time.Time { return time.Now().Add(freshFor) }
	if u.PlaceKnown([]*wactorv1.Reply{named("menu.pdf")}) {
		t.Error("a file that may have changed is taken for known")
	}
	if err := os.WriteFile(filepath.Join(dir, "menu.pdf"), []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := u.Place(t.Context(), []*wactorv1.Reply{named("menu.pdf")}); err != nil || len(store.got) != 2 {
		t.Errorf("a file that has changed: %v, %d uploads", err, len(store.got))
	}
}

func TestFilesOutsideTheFolderAreRejected(t *testing.T) {
	u, store, dir := newTestUploads(t)
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{outside, "../secret", "link", "none", ".", "empty", "a/../../secret"} {
		err := u.Place(t.Context(), []*wactorv1.Reply{named(path)})
		if !errors.Is(err, provider.ErrFileRejected) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := NewUploads(store, "", NewMetrics(nil)).Place(t.Context(), []*wactorv1.Reply{named("link")}); err == nil {
		t.Error("a file without a folder")
	}
	large := data(strings.Repeat("a", MaxData+1))
	if err := u.Place(t.Context(), []*wactorv1.Reply{large}); !errors.Is(err, provider.ErrFileRejected) {
		t.Errorf("too large: %v", err)
	}
	if len(store.got) != 0 {
		t.Errorf("uploaded %q", store.got)
	}
}

func TestFailedUploadsAreTriedAgain(t *testing.T) {
	u, store, _ := newTestUploads(t)
	store.fail = errors.New("graph: timeout")
	if err := u.Place(t.Context(), []*wactorv1.Reply{data("cake")}); err == nil ||
		!strings.Contains(err.Error(), "replies[0]") {
		t.Errorf("%v", err)
	}
	store.fail = nil
	if err := u.Place(t.Context(), []*wactorv1.Reply{data("cake")}); err != nil {
		t.Error(err)
	}
}

func TestUploadsAreBounded(t *testing.T) {
	u, store, _ := newTestUploads(t)
	store.begun, store.wait = make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	for i := range maxWaiting {
		all.Go(func() {
			if err := u.Place(t.Context(), []*wactorv1.Reply{data(fmt.Sprint(i))}); err != nil {
				t.Error(err)
			}
		})
	}
	for range maxUploads {
		<-store.begun
	}
	for waiting := 0; waiting < maxWaiting; {
		u.mu.Lock()
		waiting = u.waiting
		u.mu.Unlock()
	}
	if err := u.Place(t.Context(), []*wactorv1.Reply{data("more")}); !errors.Is(err, errManyUploads) {
		t.Errorf("one too many: %v", err)
	}
	go func() {
		for range store.begun {
		}
	}()
	close(store.wait)
	all.Wait()
	close(store.begun)
	var r recent
	r.held = map[digest][]byte{}
	for i := range 10 {
		r.add(sha256.Sum256([]byte{byte(i)}), bytes.Repeat([]byte{1}, maxRecent/4))
	}
	if r.bytes > maxRecent || len(r.held) != 4 || len(r.order) != 4 {
		t.Errorf("%d bytes are held", r.bytes)
	}
}

// fussySender refuses replies with ids that are gone.
type fussySender struct {
	provider.Sender
	gone map[string]bool
	sent []string
}

func (s *fussySender) Send(_ context.Context, out *provider.Outgoing) provider.Result {
	id := out.Reply.GetMedia().GetId()
	if s.gone[id] {
		return provider.Result{Outcome: provider.Refused, FileGone: true}
	}
	s.sent = append(s.sent, id)
	return provider.Result{Outcome: provider.Sent}
}

// TestAFileThatIsGoneIsUploadedOnceMore: the reply is not sent in the same attempt, and a second
// refusal stands.
func TestAFileThatIsGoneIsUploadedOnceMore(t *testing.T) {
	for name, make := range map[string]func(dir string) *wactorv1.Reply{
		"data": func(string) *wactorv1.Reply { return data("cake") },
		"file": func(dir string) *wactorv1.Reply {
			if err := os.WriteFile(filepath.Join(dir, "menu.pdf"), []byte("menu"), 0o600); err != nil {
				t.Fatal(err)
			}
			return named("menu.pdf")
		},
	} {
		t.Run(name, func(t *testing.T) {
			u, store, dir := newTestUploads(t)
			next := &fussySender{gone: map[string]bool{"id1": true}}
			s := u.Sender(next)
			reply := make(dir)
			if err := u.Place(t.Context(), []*wactorv1.Reply{reply}); err != nil {
				t.Fatal(err)
			}
			out := &provider.Outgoing{Reply: reply}
			if r := s.Send(t.Context(), out); r.Outcome != provider.RetryLater || len(store.got) != 2 {
				t.Errorf("%+v, %d uploads", r, len(store.got))
			}
			if store.got[0] != store.got[1] {
				t.Errorf("uploaded %q", store.got)
			}
			if r := s.Send(t.Context(), out); r.Outcome != provider.Sent || next.sent[0] != "id2" {
				t.Errorf("%+v, sent %v", r, next.sent)
			}
			if reply.GetMedia().Id != "id1" {
				t.Error("the stored reply was changed")
			}
			next.gone["id2"] = true
			if r := s.Send(t.Context(), out); r.Outcome != provider.Refused || len(store.got) != 2 {
				t.Errorf("the second time: %+v, %d uploads", r, len(store.got))
			}
		})
	}
	u, store, _ := newTestUploads(t)
	s := u.Sender(&fussySender{gone: map[string]bool{"strange": true}})
	strange := data("")
	strange.GetMedia().Id = "strange"
	r := s.Send(t.Context(), &provider.Outgoing{Reply: strange})
	if r.Outcome != provider.Refused || len(store.got) != 0 {
		t.Errorf("an id of the bot's own: %+v", r)
	}
	if r := s.Send(t.Context(), &provider.Outgoing{Reply: data("late")}); r.Outcome != provider.Refused {
		t.Errorf("a file that was not uploaded: %+v", r)
	}
}
