package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wactor/wactor/flow/transcript"
	"github.com/wactor/wactor/internal/problem"
)

func flowTestCommand() *cobra.Command {
	var rewrite bool
	command := &cobra.Command{
		Use:   "test [FILE|FOLDER]...",
		Short: "Play the transcripts kept beside flows",
		Long: `Play transcripts, conversations kept as text beside a flow (x.transcript for x.yaml, or the flow that its line "@ flow NAME" names),
and show where the flow answers otherwise now. Folders are searched for *.transcript; without arguments, the current one.
Services are not called: their answers are lines of the transcript. Exit status 1 where one differs.

Write the lines of the user, run with --update, and read the answers.`,
		Example: `  wactor flow test examples
  wactor flow test --update orders.transcript`,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			files, err := transcripts(args)
			if err != nil {
				return err
			}
			return testTranscripts(files, rewrite, command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	command.Flags().BoolVarP(&rewrite, "update", "u", false, "write what the flow answers now into the transcripts")
	return command
}

// transcripts finds the transcripts of files and folders.
func transcripts(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		switch extension := filepath.Ext(path); extension {
		case ".yaml", ".yml":
			return nil, fmt.Errorf("%s is a flow: give its transcript, such as %s.transcript, or its folder", path,
				strings.TrimSuffix(path, extension))
		}
		err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && file != path && strings.HasPrefix(entry.Name(), "."):
				return filepath.SkipDir
			case !entry.IsDir() && (file == path || filepath.Ext(file) == ".transcript"):
				files = append(files, file)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, errors.New("no *.transcript found")
	}
	return files, nil
}

func testTranscripts(files []string, rewrite bool, out, problems io.Writer) error {
	failed := false
	for _, file := range files {
		differs, err := testTranscript(file, rewrite)
		switch {
		case err != nil:
			failed = true
			fmt.Fprintln(problems, describeFailure(file, err))
		case differs != "" && !rewrite:
			failed = true
			fmt.Fprintf(problems, "%s:%s\n", file, differs)
		case differs != "":
			fmt.Fprintf(out, "%s: updated\n", file)
		default:
			fmt.Fprintf(out, "%s: ok\n", file)
		}
	}
	if failed {
		return quietError{1}
	}
	return nil
}

// describeFailure begins with the place of the mistake, as file:line: that of the transcript or,
// where its flow has mistakes, those of the flow.
func describeFailure(file string, err error) string {
	var bad *transcript.BadLine
	var problems problem.List
	switch {
	case errors.As(err, &bad):
		return fmt.Sprintf("%s:%d: %v", file, bad.Line, bad.Err)
	case errors.As(err, &problems):
		return fmt.Sprintf("%v\n%s: its flow has mistakes", problems, file)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf(`%s: its flow can't be read: %v; a line "@ flow NAME" names another one`, file, err)
	}
	return fmt.Sprintf("%s: %v", file, err)
}

// testTranscript plays one transcript and says where it differs.
func testTranscript(file string, rewrite bool) (string, error) {
	kept, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	f, err := loadFlow(transcript.FlowOf(file, string(kept)))
	if err != nil {
		return "", err
	}
	played, err := transcript.Play(f, string(kept))
	if err != nil {
		return "", err
	}
	differs := firstDifference(string(kept), played)
	if differs != "" && rewrite {
		err = os.WriteFile(file, []byte(played), 0o644)
	}
	return differs, err
}

// firstDifference shows the first lines that differ, with their number: what follows is often only
// its consequence.
func firstDifference(kept, played string) string {
	if kept == played {
		return ""
	}
	a, b := strings.Split(kept, "\n"), strings.Split(played, "\n")
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	const shown = 5
	var text strings.Builder
	fmt.Fprintf(&text, "%d: the flow answers otherwise\n", i+1)
	for _, side := range []struct {
		title string
		lines []string
	}{{"kept", a}, {"now", b}} {
		fmt.Fprintf(&text, "  %s:\n", side.title)
		for _, line := range side.lines[min(i, len(side.lines)):min(i+shown, len(side.lines))] {
			fmt.Fprintf(&text, "    %s\n", line)
		}
	}
	return strings.TrimRight(text.String(), "\n")
}
