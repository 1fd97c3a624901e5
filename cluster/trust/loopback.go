package trust

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// loopbackText is known to everybody.
const loopbackText = "wactor listens on loopback only: this is no secret"

// Loopback returns the secrets of clusters that listen on loopback only and have no secret of their
// own. All nodes of one user of a machine share them: they are drawn once and kept in the file
// wactor/loopback.key of the folder, which is that of the user's configuration. The error says why
// that can't be.
func Loopback(folder string) (*Secrets, error) {
	path := filepath.Join(folder, "wactor", "loopback.key")
	text, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = draw(path); err == nil {
			text, err = readPrivate(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("trust: the key of clusters on loopback: %w", err)
	}
	return NewSecrets([]string{text})
}

// Public returns the secrets of clusters on loopback that can't keep any. They are made of a public
// text: they encrypt, but they authenticate no node. The caller must reject them for any other
// address.
func Public() *Secrets {
	s := &Secrets{}
	if err := s.add(loopbackText); err != nil {
		panic(err) // a constant
	}
	return s
}

// readPrivate reads a file that other users of the machine can't.
func readPrivate(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if others := info.Mode().Perm() & 0o077; others != 0 && runtime.GOOS != "windows" {
		return "", fmt.Errorf("other users may read %s: remove it, and start all nodes again", path)
	}
	text, err := os.ReadFile(path)
	return strings.TrimSpace(string(text)), err
}

// draw makes the file. Of nodes that start at the same time one does; it is there as a whole or
// not at all.
func draw(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "loopback") // for this user alone
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = fmt.Fprintln(file, rand.Text())
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err = os.Link(file.Name(), path); errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
