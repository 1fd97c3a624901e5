package phone

import (
	"net/http"
	"strings"
	"testing"

	"github.com/wactor/wactor/provider"
)

func TestOnlyThePageMaySend(t *testing.T) {
	w := newWorld(t)
	const good = `{"user":"4915100000001","texts":["hi"]}`
	host := strings.TrimPrefix(w.page.URL, "http://")
	for name, c := range map[string]struct {
		header []string
		want   int
	}{
		"curl":             {nil, 202},
		"the page":         {[]string{"Sec-Fetch-Site", "same-origin"}, 202},
		"an old browser":   {[]string{"Origin", "http://" + host}, 202},
		"localhost":        {[]string{"Host", "localhost:8080"}, 202},
		"IPv6":             {[]string{"Host", "[::1]:8080"}, 202},
		"another site":     {[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another port":     {[]string{"Sec-Fetch-Site", "same-site"}, 403},
		"another origin":   {[]string{"Origin", "http://evil.example"}, 403},
		"a sandbox":        {[]string{"Origin", "null"}, 403},
		"another name":     {[]string{"Host", "evil.example:8080", "Sec-Fetch-Site", "same-origin"}, 403},
		"a likeness":       {[]string{"Host", "localhost.evil.example"}, 403},
		"a form":           {[]string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		"a form with text": {[]string{"Content-Type", "text/plain"}, 415},
	} {
		if got := w.send(t, good, c.header...); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestRequestsAreBounded(t *testing.T) {
	w := newWorld(t)
	long := func(n int) string { return strings.Repeat("ä", n) }
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"the longest":        {`{"user":"4915100000001","texts":["` + long(provider.MaxText) + `"]}`, 202},
		"no JSON":            {`x`, 400},
		"no user":            {`{"texts":["hi"]}`, 400},
		"a name as user":     {`{"user":"ana","texts":["hi"]}`, 400},
		"nothing to send":    {`{"user":"4915100000001"}`, 400},
		"two things to send": {`{"user":"4915100000001","texts":["hi"],"media":{"type":"image"}}`, 400},
		"an empty text":      {`{"user":"4915100000001","texts":[" \n"]}`, 400},
		"too many at once":   {`{"user":"4915100000001","texts":[` + strings.Repeat(`"a",`, maxTexts) + `"a"]}`, 400},
		"too large":          {`{"user":"4915100000001","texts":["` + long(maxSend) + `"]}`, 413},
		"too long":           {`{"user":"4915100000001","texts":["` + long(provider.MaxText+1) + `"]}`, 400},
		"a long name":        {`{"user":"4915100000001","texts":["hi"],"name":"` + long(maxName+1) + `"}`, 400},
		"a tap on nothing":   {`{"user":"4915100000001","tap":{"id":"a","title":"A"}}`, 400},
		"another file":       {`{"user":"4915100000001","media":{"type":"program"}}`, 400},
		"a video of nothing": {`{"user":"4915100000001","media":{"type":"video"}}`, 400},
		"a long caption":     {`{"user":"4915100000001","media":{"type":"image","caption":"` + long(maxField+1) + `"}}`, 400},
		"beyond the pole":    {`{"user":"4915100000001","location":{"latitude":90.5,"longitude":0}}`, 400},
		"around the world":   {`{"user":"4915100000001","location":{"latitude":0,"longitude":-181}}`, 400},
	} {
		if got := w.send(t, c.body); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestPageLoadsNothingElse(t *testing.T) {
	w := newWorld(t)
	entries, err := pageFiles.ReadDir("page")
	if err != nil || len(entries) < 10 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	paths := map[string]int{"/": 200, "/phone/": 404, "/phone/nothing.js": 404, "/other": 404}
	for _, e := range entries {
		paths["/phone/"+e.Name()] = 200
	}
	paths["/phone/phone.html"] = 404 // it is a template
	for path, want := range paths {
		response, err := w.client.Get(w.page.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want || response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d, want %d", path, response.StatusCode, want)
		}
	}
	request, _ := http.NewRequest(http.MethodGet, w.page.URL, nil)
	_, html := w.do(t, request)
	if !strings.Contains(html, "Echo &lt;i&gt;") || strings.Contains(html, "<i>") || strings.Contains(html, "//") {
		t.Errorf("the page names another site, or does not escape the bot's name")
	}
	response, err := w.client.Get(w.page.URL)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if got := response.Header.Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") ||
		strings.Contains(got, "unsafe") {
		t.Errorf("policy %q", got)
	}
}

func TestScriptsNeverReadHTML(t *testing.T) {
	entries, err := pageFiles.ReadDir("page")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		body, err := pageFiles.ReadFile("page/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
			"new Function"} {
			if strings.Contains(string(body), word) {
				t.Errorf("%s uses %s", e.Name(), word)
			}
		}
	}
}
