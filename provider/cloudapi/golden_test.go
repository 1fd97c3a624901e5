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

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
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
func render(t *testing.T, webhook *provider.Batch) []byte {
	t.Helper()
	asJSON := func(m proto.Message) json.RawMessage {
		text, err := protojson.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	type message struct {
		Number        string          `json:",omitempty"`
		User, Message json.RawMessage `json:",omitempty"`
	}
	view := struct {
		Messages   []message         `json:",omitempty"`
		Identities []message         `json:",omitempty"`
		Statuses   []provider.Status `json:",omitempty"`
		Unread     []provider.Unread `json:",omitempty"`
		Changes    []provider.Change `json:",omitempty"`
	}{Statuses: webhook.Statuses, Unread: webhook.Unread, Changes: webhook.Changes}
	show := func(number string, user *wactorv1.User, in *wactorv1.Message) message {
		bare := proto.CloneOf(in)
		bare.Raw = nil
		return message{number, asJSON(user), asJSON(bare)}
	}
	for _, in := range webhook.Messages {
		view.Messages = append(view.Messages, show(in.Number, in.User, in.Message))
	}
	for _, in := range webhook.Identities {
		view.Identities = append(view.Identities, show(in.Number, in.User, in.Message))
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
