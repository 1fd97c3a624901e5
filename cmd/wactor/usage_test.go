package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// runMain runs the program in a folder, and returns what it printed and its exit status.
func runMain(t *testing.T, folder string, args ...string) (out, problems string, code int) {
	t.Helper()
	process := exec.Command(os.Args[0], args...)
	process.Dir = folder
	process.Env = append(os.Environ(), "WACTOR_TEST_MAIN=1", "WACTOR_ADMIN=", "WACTOR_ADMIN_TOKEN=", "TZ=UTC")
	var stdout, stderr bytes.Buffer
	process.Stdout, process.Stderr = &stdout, &stderr
	err := process.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), process.ProcessState.ExitCode()
}

// TestUsage: what a person mistypes is an error with a remedy, and never taken for done.
func TestUsage(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"bad.yaml":  "node: { nam: x }\nchannels: []\n",
		"flow.yaml": "name: x\nstart: a\nsteps: { a: { sai: hi, wait: b } }\n",
		"bot.yaml": "node: { name: x, data_dir: data }\nbots: { bot: { flow: flow.yaml } }\nchannels:\n" +
			"  - { name: a, provider: whatsapp_cloud, phone_number_id: '1', verify_token: v, app_secret: s, " +
			"access_token: t, bot: bot }\n",
	} {
		save(t, filepath.Join(folder, name), text)
	}
	for _, c := range []struct {
		args string
		code int
		want []string // parts of what is printed
	}{
		{"bogus", 1, []string{`unknown command "bogus" for "wactor"`}},
		{"cluster bogus", 1, []string{`unknown command "bogus" for "wactor cluster"`, "--help"}},
		{"cluster statsu", 1, []string{"did you mean status?"}},
		{"flow bogus", 1, []string{`unknown command "bogus" for "wactor flow"`}},
		{"conversations bogus", 1, []string{`unknown command "bogus" for "wactor conversations"`}},
		{"cluster", 0, []string{"drain", "reload", "Usage:"}},
		{"reload wactor.yaml", 1, []string{`unknown command "wactor.yaml" for "wactor reload"`}},
		{"reload --admin 127.0.0.1:1", 1, []string{"no node answers at 127.0.0.1:1"}},
		{"", 0, []string{"wactor dev", "Usage:"}},
		{"version", 0, []string{versionLine() + "\n"}},
		{"--version", 0, []string{versionLine() + "\n"}},
		{"serve wactor.yaml", 1, []string{"by -c: wactor serve -c wactor.yaml"}},
		{"check my.yaml", 1, []string{"by -c: wactor check -c my.yaml"}},
		{"serve", 1, []string{"wactor.yaml: no such file", "-c", "wactor dev"}},
		{"check -c none.yaml", 1, []string{"none.yaml: no such file or directory\n"}},
		{"check -c bad.yaml", 1, []string{"bad.yaml:1:9: node.nam: unknown key", "bad.yaml:2:1"}},
		{"check -c bot.yaml", 1, []string{"flow.yaml:3:", "sai", "there is no step b"}},
	} {
		out, problems, code := runMain(t, folder, strings.Fields(c.args)...)
		if code != c.code {
			t.Errorf("wactor %s: exit status %d, want %d", c.args, code, c.code)
		}
		for _, want := range c.want {
			if !strings.Contains(out+problems, want) {
				t.Errorf("wactor %s: %q is missing in:\n%s%s", c.args, want, out, problems)
			}
		}
	}
}
