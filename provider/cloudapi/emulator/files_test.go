package emulator

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// ask makes a request with the token.
func ask(t *testing.T, method, address, contentType string, body io.Reader) (int, string) {
	t.Helper()
	request, err := http.NewRequest(method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer token")
	request.Header.Set("Content-Type", contentType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestFilesAreKept(t *testing.T) {
	g := NewGraph("token", Faults{}, nil)
	server := httptest.NewServer(g)
	defer server.Close()
	var form bytes.Buffer
	fields := multipart.NewWriter(&form)
	_ = fields.WriteField("messaging_product", "whatsapp")
	_ = fields.WriteField("type", "image/png")
	part, _ := fields.CreateFormFile("file", "cake.png")
	_, _ = io.WriteString(part, "cake")
	fields.Close()
	status, body := ask(t, "POST", server.URL+"/v26.0/100/media", fields.FormDataContentType(), &form)
	var uploaded struct{ ID string }
	if status != 200 || json.Unmarshal([]byte(body), &uploaded) != nil || g.Uploads() != 1 {
		t.Fatalf("%d %s", status, body)
	}
	received := g.Keep(File{"audio/ogg", []byte("cake"), "200"})
	for id, number := range map[string]string{uploaded.ID: "100", received: "200"} {
		status, body := ask(t, "GET", server.URL+"/v26.0/"+id+"?phone_number_id="+number, "", nil)
		var file struct{ URL string }
		if status != 200 || json.Unmarshal([]byte(body), &file) != nil {
			t.Fatalf("%d %s", status, body)
		}
		if status, body := ask(t, "GET", file.URL, "", nil); status != 200 || body != "cake" {
			t.Errorf("%d %s", status, body)
		}
		if status, _ := ask(t, "GET", strings.Split(file.URL, "=")[0]+"=1", "", nil); status != 404 {
			t.Errorf("after its time: %d", status)
		}
		if status, _ := ask(t, "GET", server.URL+"/v26.0/"+id+"?phone_number_id=300", "", nil); status != 400 {
			t.Errorf("for another number: %d", status)
		}
		if response, err := http.Get(file.URL); err != nil || response.StatusCode != 401 {
			t.Errorf("without a token: %v %v", response, err)
		} else {
			response.Body.Close()
		}
	}
	send := func(message string) int {
		status, _ := ask(t, "POST", server.URL+"/v26.0/100/messages", "application/json",
			strings.NewReader(`{"messaging_product":"whatsapp","to":"1",`+message+`}`))
		return status
	}
	image := `"type":"image","image":{"id":"` + uploaded.ID + `"}`
	buttons := `"type":"interactive","interactive":{"type":"button","header":{"type":"image","image":{"id":"` +
		uploaded.ID + `"}},"body":{"text":"b"},"action":{"buttons":[{"type":"reply","reply":{"id":"a","title":"A"}}]}}`
	if a, b := send(image), send(buttons); a != 200 || b != 200 {
		t.Errorf("sent by id: %d, %d", a, b)
	}
	g.Forget(uploaded.ID)
	if a, b := send(image), send(buttons); a != 400 || b != 400 {
		t.Errorf("sent by an id that is gone: %d, %d", a, b)
	}
	if status := send(`"type":"image","image":{"id":"5"}`); status != 200 {
		t.Errorf("an id of another make: %d", status)
	}
}

func TestKeptFilesAreBounded(t *testing.T) {
	s := newFiles()
	first := s.keep(File{Content: make([]byte, maxKept/2)})
	for range 3 {
		s.keep(File{Content: make([]byte, maxKept/2)})
	}
	if _, kept := s.kept[first]; kept || s.bytes > maxKept || len(s.kept) != 2 {
		t.Errorf("%d files, %d bytes", len(s.kept), s.bytes)
	}
}
