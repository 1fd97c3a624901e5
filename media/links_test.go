package media

import (
	"net/url"
	"strings"
	"testing"
	"time"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

var start = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

const helloHash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // of "hello"

func photo(id string) *wactorv1.Media {
	return &wactorv1.Media{Type: "image", Id: id, Sha256: helloHash, Filename: "private.jpg"}
}

// parts splits a link.
func parts(t *testing.T, link string) (sealed, expires, signature string) {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.Path[strings.LastIndex(u.Path, "/")+1:], u.Query().Get("expires"), u.Query().Get("signature")
}

func TestLinksOpenUntilTheirTime(t *testing.T) {
	l := NewLinks("http://127.0.0.1:8080/", "shop", time.Hour, []string{"secret"})
	link := l.URL(photo("4490709327384033"), start)
	if !strings.HasPrefix(link, "http://127.0.0.1:8080/media/shop/") ||
		link != l.URL(photo("4490709327384033"), start) {
		t.Errorf("link %s", link)
	}
	for _, hidden := range []string{"4490709327384033", "private", "2cf24d"} {
		if strings.Contains(link, hidden) {
			t.Errorf("%s shows %s", link, hidden)
		}
	}
	sealed, expires, signature := parts(t, link)
	file, err := l.open(sealed, expires, signature, start.Add(time.Hour-time.Second))
	if err != nil || file.id != "4490709327384033" || file.kind != "image" || tag(file.hash) != `"`+helloHash+`"` {
		t.Errorf("%+v, %v", file, err)
	}
	if _, err := l.open(sealed, expires, signature, start.Add(time.Hour)); err != errExpired {
		t.Errorf("after its time: %v", err)
	}
	if got := l.URL(&wactorv1.Media{Type: "image"}, start); got != "" {
		t.Errorf("a file without an id has the link %s", got)
	}
}

func TestLinksAreOfOneChannelAndOneFile(t *testing.T) {
	l := NewLinks("http://h", "shop", time.Hour, []string{"secret"})
	sealed, expires, signature := parts(t, l.URL(photo("1"), start))
	otherSealed, _, _ := parts(t, l.URL(photo("2"), start))
	flip := func(text string) string { return text[:3] + string(text[3]^1) + text[4:] }
	right := [3]string{sealed, expires, signature}
	for name, c := range map[string]struct {
		links *Links
		parts [3]string
	}{
		"another channel": {NewLinks("http://h", "help", time.Hour, []string{"secret"}), right},
		"another secret":  {NewLinks("http://h", "shop", time.Hour, []string{"other"}), right},
		"another file":    {l, [3]string{otherSealed, expires, signature}},
		"a later end":     {l, [3]string{sealed, expires + "0", signature}},
		"changed":         {l, [3]string{flip(sealed), expires, signature}},
		"cut off":         {l, [3]string{sealed[:8], expires, signature}},
		"signature":       {l, [3]string{sealed, expires, flip(signature)}},
		"short signature": {l, [3]string{sealed, expires, signature[:20]}},
		"no signature":    {l, [3]string{sealed, expires, ""}},
		"nothing":         {l, [3]string{}},
	} {
		if file, err := c.links.open(c.parts[0], c.parts[1], c.parts[2], start); err != errBadLink {
			t.Errorf("%s: %+v, %v", name, file, err)
		}
	}
}

// TestLinkSecretsAreReplaced: nodes that have the new secret as the second one open what those with
// it as the first one sign, and the other way round.
func TestLinkSecretsAreReplaced(t *testing.T) {
	before := NewLinks("http://h", "shop", time.Hour, []string{"old"})
	between := NewLinks("http://h", "shop", time.Hour, []string{"old", "new"})
	after := NewLinks("http://h", "shop", time.Hour, []string{"new", "old"})
	for _, pair := range [][2]*Links{{before, between}, {between, before}, {between, after}, {after, between}} {
		sealed, expires, signature := parts(t, pair[0].URL(photo("1"), start))
		if _, err := pair[1].open(sealed, expires, signature, start); err != nil {
			t.Error(err)
		}
	}
	sealed, expires, signature := parts(t, before.URL(photo("1"), start))
	before.UseSecrets([]string{"new"})
	if _, err := before.open(sealed, expires, signature, start); err != errBadLink {
		t.Errorf("a removed secret opens: %v", err)
	}
}

func FuzzLinks(f *testing.F) {
	l := NewLinks("http://h", "shop", time.Hour, []string{"secret"})
	f.Add("AAAA", "1", "AAAA")
	f.Fuzz(func(t *testing.T, sealed, expires, signature string) {
		if file, err := l.open(sealed, expires, signature, start); err == nil {
			t.Fatalf("opened %+v", file)
		}
		_, _ = decodeLinked([]byte(sealed))
	})
}
