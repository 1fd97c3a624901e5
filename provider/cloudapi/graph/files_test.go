package graph

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/wactor/wactor/internal/secret"
	"github.com/wactor/wactor/provider"
	"github.com/wactor/wactor/provider/cloudapi"
)

// fileServer is a Graph API that has one file, and answers what is changed.
func fileServer(t *testing.T, change map[string]http.HandlerFunc) (*Files, *httptest.Server) {
	t.Helper()
	mux := http.NewServeMux()
	var server *httptest.Server
	handlers := map[string]http.HandlerFunc{
		"/v26.0/77": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("phone_number_id") != "900" {
				t.Error("the number is not named")
			}
			_, _ = io.WriteString(w, `{"url":"`+server.URL+`/file","mime_type":"image/png","file_size":"5"}`)
		},
		"/file": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") },
	}
	for path, handler := range change {
		handlers[path] = handler
	}
	for path, handler := range handlers {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer secret-token" || r.UserAgent() != "wactor" {
				t.Errorf("%s: %v", path, r.Header)
			}
			handler(w, r)
		})
	}
	server = httptest.NewServer(mux)
	t.Cleanup(server.Close)
	files := NewFiles(Config{BaseURL: server.URL + "/v26.0", PhoneNumberID: "900", AccessToken: "secret-token"})
	t.Cleanup(files.Close)
	return files, server
}

func TestFilesAreResolvedAndRead(t *testing.T) {
	files, _ := fileServer(t, nil)
	file, err := files.Resolve(t.Context(), "77")
	if err != nil || file.Size != 5 || file.MIMEType != "image/png" {
		t.Fatalf("%+v, %v", file, err)
	}
	body, err := files.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, err := io.ReadAll(body); string(got) != "hello" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestFileFailuresAreClassed(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   error // nil: try again
	}{
		"unknown id":      {400, `{"error":{"code":100,"error_subcode":33}}`, provider.ErrFileGone},
		"another number":  {400, `{"error":{"code":100}}`, provider.ErrFileGone},
		"not found":       {404, ``, provider.ErrFileGone},
		"token":           {401, `{"error":{"code":190}}`, provider.ErrFileDenied},
		"permission":      {403, `{"error":{"code":10}}`, provider.ErrFileDenied},
		"throughput":      {400, `{"error":{"code":80007}}`, nil},
		"too many":        {429, ``, nil},
		"server":          {500, `{"error":{"code":1}}`, nil},
		"no JSON":         {200, `<html>`, nil},
		"elsewhere, 301":  {301, ``, nil},
		"address missing": {200, `{"id":"77"}`, nil},
	} {
		files, _ := fileServer(t, map[string]http.HandlerFunc{"/v26.0/77": say(c.status, c.body)})
		_, err := files.Resolve(t.Context(), "77")
		if err == nil || c.want != nil && !errors.Is(err, c.want) ||
			c.want == nil && (errors.Is(err, provider.ErrFileGone) || errors.Is(err, provider.ErrFileDenied)) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if text := err.Error(); strings.Contains(text, "127.0.0.1") || strings.Contains(text, "secret") {
			t.Errorf("%s: the error shows %s", name, text)
		}
	}
	files, _ := fileServer(t, nil)
	for _, id := range []string{"", "../me", "7/7", "77?x=1", strings.Repeat("7", 200)} {
		if _, err := files.Resolve(t.Context(), id); !errors.Is(err, provider.ErrFileGone) {
			t.Errorf("%q: %v", id, err)
		}
	}
	unfit := NewFiles(Config{PhoneNumberID: "900"})
	if _, err := unfit.Resolve(t.Context(), "77"); !errors.Is(err, provider.ErrFileDenied) {
		t.Errorf("without a token: %v", err)
	}
}

// TestTokenGoesNowhereElse: neither to another host nor behind a redirect.
func TestTokenGoesNowhereElse(t *testing.T) {
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a stranger was called")
	}))
	defer stranger.Close()
	files, server := fileServer(t, map[string]http.HandlerFunc{
		"/file": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, stranger.URL, http.StatusFound) },
	})
	for _, address := range []string{
		server.URL + "/file", stranger.URL, "http://lookaside.fbsbx.com/x", "https://fbsbx.com.evil.example/x",
		"https://evilfbsbx.com/x", "https://lookaside.fbsbx.com:8443/x", "https://u:p@lookaside.fbsbx.com/x",
		"https://169.254.169.254/x", "file:///etc/passwd", "", ":", strings.Replace(server.URL, "http:", "https:", 1),
	} {
		body, err := files.Open(t.Context(), provider.File{Address: address})
		if err == nil {
			body.Close()
			t.Errorf("%s was opened", address)
			continue
		}
		if text := err.Error(); strings.Contains(text, "example") || strings.Contains(text, "127.0.0.1") ||
			strings.Contains(text, "secret") {
			t.Errorf("%s: the error shows %s", address, text)
		}
	}
}

func TestTrustedFileHosts(t *testing.T) {
	files := NewFiles(Config{PhoneNumberID: "900", AccessToken: "t"})
	for address, want := range map[string]bool{
		"https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1": true,
		"https://scontent.xx.fbcdn.net/x":                                  true,
		"https://graph.facebook.com/x":                                     true,
		"https://www.facebook.com/x":                                       false,
		"http://lookaside.fbsbx.com/x":                                     false,
	} {
		file := mustParse(t, address)
		if got := files.trusts(file); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

func TestFileTokenIsReplaced(t *testing.T) {
	var shown string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		shown = r.Header.Get("Authorization")
	}))
	defer server.Close()
	settings := cloudapi.NewSettings().(*cloudapi.Settings)
	settings.GraphURL, settings.PhoneNumberID, settings.AccessToken = server.URL+"/", "900", secret.New("old")
	files := FilesForChannel(settings)
	defer files.Close()
	for token, want := range map[string]string{"with space": "Bearer old", "new": "Bearer new"} {
		settings.AccessToken = secret.New("old")
		if err := files.Renew(settings); err != nil {
			t.Fatal(err)
		}
		settings.AccessToken = secret.New(token)
		if err := files.Renew(settings); (err != nil) != (want == "Bearer old") {
			t.Errorf("%s: %v", token, err)
		}
		if _, _ = files.Resolve(t.Context(), "77"); shown != want {
			t.Errorf("%s: shown %s", token, shown)
		}
	}
}

func mustParse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
