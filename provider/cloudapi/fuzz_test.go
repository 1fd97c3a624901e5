package cloudapi

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"
)

// FuzzDecode: no body panics; what comes back is whole: ids and senders present, texts that
// protobuf can hold, pieces that are JSON.
func FuzzDecode(f *testing.F) {
	for _, pattern := range []string{"testdata/pywa/*.json", "testdata/text_webhook.json"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			body, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			var short bytes.Buffer
			if err := json.Compact(&short, body); err != nil {
				f.Fatal(err)
			}
			f.Add(short.Bytes())
		}
	}
	f.Add(envelope(valueOf(`"messages":[`+goodText+`,{"id":1},5],"statuses":[{},{"id":"w","status":"failed","errors":[{"code":1}]}]`), `5`))
	f.Fuzz(func(t *testing.T, body []byte) {
		webhook, err := Decode(body)
		if err != nil {
			if webhook != nil {
				t.Fatal("a webhook beside an error")
			}
			return
		}
		if !json.Valid(body) {
			t.Fatal("decoded what is not JSON")
		}
		for _, in := range webhook.Messages {
			if in.Number == "" || in.User.GetId() == "" || in.Message.GetId() == "" ||
				in.Message.GetType() == "" {
				t.Fatalf("incomplete: %+v", in)
			}
			if _, err := proto.Marshal(in.Message); err != nil {
				t.Fatal(err)
			}
			if _, err := proto.Marshal(in.User); err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(body, in.Message.GetRaw()) || !json.Valid(in.Message.GetRaw()) {
				t.Fatalf("raw is %q", in.Message.GetRaw())
			}
		}
		for _, piece := range webhook.Unread {
			if piece.Reason == "" || !json.Valid(piece.Raw) {
				t.Fatalf("unread without reason or bytes: %+v", piece)
			}
		}
	})
}

func FuzzVerify(f *testing.F) {
	f.Add("secret", "sha256=00", []byte("body"))
	f.Add("", Sign("", []byte("x")), []byte("x"))
	f.Add("k", Sign("k", []byte("é")), []byte("é"))
	f.Fuzz(func(t *testing.T, secret, header string, body []byte) {
		if verify([]string{secret}, header, body) && malformed(header) {
			t.Fatal("verified a malformed header")
		}
		signed := Sign(secret, body)
		if got := verify([]string{"other", secret}, signed, body); got != (secret != "") {
			t.Fatalf("an own signature verifies: %v", got)
		}
		if secret != "" && verify([]string{secret}, signed, append(bytes.Clone(body), 'x')) {
			t.Fatal("a changed body verifies")
		}
	})
}
