package graph

import (
	"encoding/hex"
	"strings"
	"testing"
)

const helloHex = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

func TestDecodeFile(t *testing.T) {
	for name, body := range map[string]string{
		"hex, number":    `{"url":"https://a.example/x","mime_type":"image/jpeg","sha256":"` + helloHex + `","file_size":5,"id":"1"}`,
		"base64, string": `{"url":"https://a.example/x","mime_type":"image/jpeg","sha256":"LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=","file_size":"5"}`,
	} {
		file, err := decodeFile([]byte(body))
		if err != nil || file.Address != "https://a.example/x" || file.MIMEType != "image/jpeg" || file.Size != 5 ||
			hex.EncodeToString(file.SHA256) != helloHex {
			t.Errorf("%s: %+v, %v", name, file, err)
		}
	}
	for _, body := range []string{``, `[]`, `{}`, `{"url":5}`, `{"url":"` + strings.Repeat("x", 5000) + `"}`} {
		if file, err := decodeFile([]byte(body)); err == nil {
			t.Errorf("%.40q describes %+v", body, file)
		}
	}
	file, err := decodeFile([]byte(`{"url":"https://a.example/x","sha256":"?","file_size":-4}`))
	if err != nil || file.SHA256 != nil || file.Size != 0 {
		t.Errorf("odd values: %+v, %v", file, err)
	}
}

func TestDecodeUpload(t *testing.T) {
	if id, err := decodeUpload([]byte(`{"id":"4490709327384033"}`)); err != nil || id != "4490709327384033" {
		t.Errorf("%q, %v", id, err)
	}
	for _, body := range []string{``, `{}`, `{"id":5}`, `{"id":"../me"}`, `{"id":""}`, `{"id":"a/b"}`} {
		if id, err := decodeUpload([]byte(body)); err == nil {
			t.Errorf("%q names %q", body, id)
		}
	}
}
