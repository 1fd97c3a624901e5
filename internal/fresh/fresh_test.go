package fresh

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestChangedFilesAreReadAgain, at most once a second; and what can't be used changes nothing until
// it can.
func TestChangedFilesAreReadAgain(t *testing.T) {
	name := filepath.Join(t.TempDir(), "secret")
	put := func(text string, at int) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		stamp := time.Unix(int64(at), 0)
		if err := os.Chtimes(name, stamp, stamp); err != nil {
			t.Fatal(err)
		}
	}
	now, reads := time.Unix(1000, 0), 0
	read := func() (string, error) {
		reads++
		text, err := os.ReadFile(name)
		if string(text) == "bad" {
			return "", errors.New("not usable")
		}
		return string(text), err
	}
	if _, err := Open(read, func() time.Time { return now }, name); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a file that is not there: %v", err)
	}
	put("one", 1)
	f, err := Open(read, func() time.Time { return now }, name)
	if err != nil {
		t.Fatal(err)
	}
	reads = 0
	want := func(value string, usable bool) {
		t.Helper()
		if got, err := f.Get(); got != value || (err == nil) != usable {
			t.Errorf("got %q, %v", got, err)
		}
	}
	want("one", true)
	put("two", 2)
	want("one", true) // within the second
	now = now.Add(time.Second)
	want("two", true)
	now = now.Add(time.Minute)
	want("two", true)
	if reads != 1 {
		t.Errorf("read %d times, want once", reads)
	}
	put("bad", 3)
	now = now.Add(time.Second)
	want("two", false)
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	want("two", false)
	put("three", 4)
	now = now.Add(time.Second)
	want("three", true)
}
