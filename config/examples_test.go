package config

import (
	"path/filepath"
	"testing"
)

// TestExamples loads the configurations that people start from.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../examples/*/wactor.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("examples %q, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			if _, err := Load(file, environment, kinds); err != nil {
				t.Error(err)
			}
		})
	}
}
