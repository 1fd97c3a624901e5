package cloudapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

var update = flag.Bool("update", false, "rewrite testdata/golden with what Decode makes today")

// TestGolden holds what every fixture decodes to as text, so that a change of behaviour is a diff
// to review.
func TestGolden(t *testing.T) {
	fixtures, err := filepath.Glob("testdata/pywa/*.json")
	if err != nil || len(fixtures) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, path := range append(fixtures, "testdata/text_webhook.json") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			webhook, err := Decode(body)
			if err != nil {
				t.Fatalf("Decode: %v", err)
			}
			got := render(t, webhook)
			golden := filepath.Join("testdata/golden", filepath.Base(path))
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("decoded differently (-want +got); run with -update if that is meant:\n%s", diff)
			}
			for _, in := range webhook.Messages {
				if !bytes.Contains(body, in.Message.GetRaw()) || !json.Valid(in.Message.GetRaw()) {
					t.Error("Raw is not a piece of the body")
				}
			}
		})
	}
}

// render writes a webhook as indented JSON. protojson's own spacing differs from build to build, so
// it goes through encoding/json; Raw is left out, it is in the fixture.
func render(t *testing.T, webhook *Webhook) []byte {
	t.Helper()
	asJSON := func(m proto.Message) json.RawMessage {
		text, err := protojson.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	type message struct {
		PhoneNumberID, GroupID string          `json:",omitempty"`
		User, Message          json.RawMessage `json:",omitempty"`
	}
	view := struct {
		Messages []message `json:",omitempty"`
		Statuses []Status  `json:",omitempty"`
		Unread   []Unread  `json:",omitempty"`
		Others   []Other   `json:",omitempty"`
	}{Statuses: webhook.Statuses, Unread: webhook.Unread, Others: webhook.Others}
	for _, in := range webhook.Messages {
		bare := proto.CloneOf(in.Message)
		bare.Raw = nil
		view.Messages = append(view.Messages, message{in.PhoneNumberID, in.GroupID, asJSON(in.User), asJSON(bare)})
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(view); err != nil {
		t.Fatal(err)
	}
	return []byte(text.String())
}
