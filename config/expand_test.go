package config

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// TestCredentialsOfTheService: ${credential:NAME} is the file of that name where systemd put it,
// and nothing outside of that directory.
func TestCredentialsOfTheService(t *testing.T) {
	directory := filepath.FromSlash("/run/credentials/wactor.service")
	files := map[string]string{filepath.Join(directory, "app-secret"): "s3cret\n"}
	s := sources{
		env: func(name string) (string, bool) { return directory, name == "CREDENTIALS_DIRECTORY" },
		readFile: func(path string) ([]byte, error) {
			if text, ok := files[path]; ok {
				return []byte(text), nil
			}
			return nil, errors.New("no such file")
		},
	}
	if value, refers, problem := s.expand("${credential:app-secret}"); value != "s3cret" || !refers || problem != nil {
		t.Errorf("got %q, %v, %v", value, refers, problem)
	}
	for text, want := range map[string]string{
		"${credential:other}": "can't be read", "${credential:}": "names no credential",
		"${credential:..}":            "names no credential",
		"${credential:../etc/passwd}": "names no credential", "${credential:a/b}": "names no credential",
	} {
		if _, _, problem := s.expand(text); problem == nil || !strings.Contains(problem.message, want) {
			t.Errorf("%s: %v", text, problem)
		}
	}
	s.env = func(string) (string, bool) { return "", false }
	if _, _, problem := s.expand("${credential:app-secret}"); problem == nil ||
		!strings.Contains(problem.remedy, "LoadCredential=app-secret") {
		t.Errorf("without systemd: %v", problem)
	}
}
