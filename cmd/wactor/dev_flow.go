package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/wactor/wactor/flow"
)

//go:embed welcome.yaml
var welcomeFlow []byte

// devFlow is the flow of `wactor dev`. The node reads a copy that was checked, so that a file which
// is being written, or was saved with mistakes, never becomes the bot.
type devFlow struct {
	// file is what a person edits, checked what the node reads.
	file, checked string
	// builtIn says that there was no file: it is an example, which is written anew with every
	// start.
	builtIn bool
	// seen is the file's content when it was looked at last.
	seen []byte
}

// begin checks the flow, or writes the one that is used without any. An error lists all mistakes.
func (f *devFlow) begin(data string) error {
	f.checked = filepath.Join(data, "flow.yaml")
	if f.file == "" {
		f.file, f.builtIn = filepath.Join(data, "welcome.yaml"), true
		if err := os.WriteFile(f.file, welcomeFlow, 0o600); err != nil {
			return fmt.Errorf("dev: %w", err)
		}
	}
	source, err := os.ReadFile(f.file)
	if err != nil {
		return fmt.Errorf("dev: %w", err)
	}
	f.seen = source
	return f.take(source)
}

// take makes a flow the bot's, where it has no mistakes.
func (f *devFlow) take(source []byte) error {
	if _, err := flow.Parse(f.file, source); err != nil {
		return err
	}
	if err := os.WriteFile(f.checked, source, 0o600); err != nil {
		return fmt.Errorf("dev: %w", err)
	}
	return nil
}

// lookEvery is how often the file is looked at. Contents are compared, since times of files are
// coarse on some systems.
const lookEvery = 500 * time.Millisecond

// changed waits until the flow was saved without mistakes; false when ctx ends before. Mistakes are
// printed.
func (f *devFlow) changed(ctx context.Context, out io.Writer) bool {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for missed := 0; ; {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
		source, err := os.ReadFile(f.file)
		if err != nil {
			if missed++; missed == 2 { // editors replace files: most are back at the next look
				fmt.Fprintf(out, "%v: the bot stays the one it was until the file is back\n", err)
			}
			continue
		}
		missed = 0
		if bytes.Equal(source, f.seen) {
			continue
		}
		f.seen = source
		if err := f.take(source); err != nil {
			fmt.Fprintf(out, "%v\nthe bot stays the one it was\n", err)
			continue
		}
		return true
	}
}
