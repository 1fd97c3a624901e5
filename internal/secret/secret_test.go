package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	yaml "github.com/goccy/go-yaml"
)

// TestSecretShowsNowhere tries every way in which a configuration usually ends up in a log.
func TestSecretShowsNowhere(t *testing.T) {
	hidden := New("hunter2")
	holder := struct {
		One  Secret
		Many Secrets
		Map  map[string]Secret
		At   *Secret
	}{hidden, Secrets{hidden}, map[string]Secret{"a": hidden}, &hidden}
	var shown []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%10s", "%T"} {
		shown = append(shown, fmt.Sprintf(verb, hidden), fmt.Sprintf(verb, holder), fmt.Sprintf(verb, &holder))
	}
	shown = append(shown, fmt.Sprint(hidden), hidden.String())
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		text, err := marshal(holder)
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, string(text))
	}
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("a", "secret", hidden, "holder", holder)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("a", "secret", hidden, "holder", holder)
	shown = append(shown, logged.String())
	for _, text := range shown {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") {
			t.Errorf("the secret shows in %s", text)
		}
	}
	if fmt.Sprint(hidden) != "***" || fmt.Sprint(Secret{}) != "" {
		t.Errorf("shown as %v, and nothing as %v", hidden, Secret{})
	}
	if hidden.Reveal() != "hunter2" || holder.Many.Reveal()[0] != "hunter2" {
		t.Error("Reveal does not reveal")
	}
}
