package config

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
	secret := NewSecret("hunter2")
	holder := struct {
		One  Secret
		Many Secrets
		Map  map[string]Secret
		At   *Secret
	}{secret, Secrets{secret}, map[string]Secret{"a": secret}, &secret}
	var shown []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%10s", "%T"} {
		shown = append(shown, fmt.Sprintf(verb, secret), fmt.Sprintf(verb, holder), fmt.Sprintf(verb, &holder))
	}
	shown = append(shown, fmt.Sprint(secret), secret.String())
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		text, err := marshal(holder)
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, string(text))
	}
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("a", "secret", secret, "holder", holder)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("a", "secret", secret, "holder", holder)
	shown = append(shown, logged.String())
	for _, text := range shown {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") {
			t.Errorf("the secret shows in %s", text)
		}
	}
	if fmt.Sprint(secret) != "***" || fmt.Sprint(Secret{}) != "" {
		t.Errorf("shown as %v, and nothing as %v", secret, Secret{})
	}
	if secret.Reveal() != "hunter2" || holder.Many.Reveal()[0] != "hunter2" {
		t.Error("Reveal does not reveal")
	}
}
