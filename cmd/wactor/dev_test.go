package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wactor/wactor/config"
	"github.com/wactor/wactor/flow"
)

func TestWelcomeFlowHasNoMistakes(t *testing.T) {
	if _, err := flow.Parse("welcome.yaml", welcomeFlow); err != nil {
		t.Fatal(err)
	}
}

// startDev runs `wactor dev` and returns the page's address and what it prints.
func startDev(t *testing.T, args ...string) (address string, output *lines) {
	t.Helper()
	return runDev(t, append([]string{"--listen", "127.0.0.1:0", "--data", t.TempDir()}, args...)...)
}

func runDev(t *testing.T, args ...string) (address string, output *lines) {
	t.Helper()
	output = &lines{more: make(chan struct{}, 1)}
	command := devCommand()
	command.SetArgs(args)
	command.SetErr(output)
	command.SetOut(io.Discard)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- command.ExecuteContext(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	printed := output.await(t, "Open it in a browser")
	return regexp.MustCompile(`at +(http://[0-9.:]+)`).FindStringSubmatch(printed)[1], output
}

const goodFlow = "name: mine\nstart: a\nsteps:\n  a: { say: hello, wait: a }\n"

func save(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDevTakesASavedFlow: mistakes are printed and change nothing; a good flow becomes the bot,
// where the page finds it.
func TestDevTakesASavedFlow(t *testing.T) {
	file := filepath.Join(t.TempDir(), "my.yaml")
	save(t, file, goodFlow)
	address, output := startDev(t, file)
	save(t, file, goodFlow+"  b: { say: hello, gotoo: a }\n  c: { say: hello, wait: nowhere }\n")
	printed := output.await(t, "the bot stays the one it was")
	if !strings.Contains(printed, "gotoo") || !strings.Contains(printed, "nowhere") {
		t.Errorf("not all mistakes are printed:\n%s", printed)
	}
	save(t, file, strings.ReplaceAll(goodFlow, "hello", "good evening"))
	output.await(t, "changed: the bot is the new one")
	say(t, address, "hi")
	awaitStream(t, address, "good evening")
}

// say writes to the bot as the page does.
func say(t *testing.T, address, text string) {
	t.Helper()
	response, err := http.Post(address+"/phone/send", "application/json", strings.NewReader(`{"user":"4915100000001","texts":["`+text+`"]}`))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		t.Fatalf("send: %d", response.StatusCode)
	}
}

// awaitStream reads the page's events until one holds a text.
func awaitStream(t *testing.T, address, text string) {
	t.Helper()
	response, err := http.Get(address + "/phone/events")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var all []byte
	for buffer := make([]byte, 4096); ; {
		n, err := response.Body.Read(buffer)
		all = append(all, buffer[:n]...)
		if strings.Contains(string(all), text) {
			return
		}
		if err != nil {
			t.Fatalf("%q never came: %v; only %s", text, err, all)
		}
	}
}

func TestDevRefusesAFlowWithMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "my.yaml")
	save(t, file, "name: mine\nstart: a\nsteps:\n  a: { sai: hello }\n  b: { say: hello, wait: nowhere }\n")
	var output strings.Builder
	command := devCommand()
	command.SetArgs([]string{"--data", t.TempDir(), file})
	command.SetErr(&output)
	command.SilenceUsage, command.SilenceErrors = true, true
	if err := command.ExecuteContext(t.Context()); err == nil {
		t.Error("it runs")
	}
	if !strings.Contains(output.String(), "sai") || !strings.Contains(output.String(), "nowhere") {
		t.Errorf("printed %q", output.String())
	}
}

// TestDevWithAPortThatIsTaken: one that was asked for is an error with a remedy; the usual one is
// replaced by the next.
func TestDevWithAPortThatIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	command := devCommand()
	command.SetArgs([]string{"--data", t.TempDir(), "--listen", taken.Addr().String()})
	command.SetErr(io.Discard)
	command.SilenceUsage, command.SilenceErrors = true, true
	if err := command.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(),
		taken.Addr().String()) || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("error %v", err)
	}
	usual, err := net.Listen("tcp", firstAddress)
	if err == nil {
		defer usual.Close()
	}
	address, output := runDev(t, "--data", t.TempDir())
	if printed := output.await(t, "so the phone is at"); address == "http://"+firstAddress || !strings.Contains(printed,
		firstAddress+" is taken") {
		t.Errorf("it is at %s, and printed:\n%s", address, printed)
	}
}

// TestDevLeavesAFlowOfYourOwnAlone: the example is written anew with every start, so it must never
// be what a person edits.
func TestDevLeavesAFlowOfYourOwnAlone(t *testing.T) {
	data := t.TempDir()
	var f devFlow
	if err := f.begin(data); err != nil || !f.builtIn {
		t.Fatal(err)
	}
	mine := filepath.Join(data, "mine.yaml")
	save(t, mine, goodFlow)
	f = devFlow{file: mine}
	if err := f.begin(data); err != nil || f.builtIn {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(mine); err != nil || string(now) != goodFlow {
		t.Errorf("the flow is now %q, %v", now, err)
	}
}

func TestCalled(t *testing.T) {
	for program, want := range map[string]string{
		"/tmp/go-build12/b001/exe/wactor": "go run ./cmd/wactor",
		"bin/wactor":                      "bin/wactor",
		"wactor":                          "wactor",
	} {
		if got := called(program); got != want {
			t.Errorf("%s: %s, want %s", program, got, want)
		}
	}
}

// TestDevNamesFlags: errors name the flags, because the user wrote no configuration.
func TestDevNamesFlags(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--listen 99", `wactor: dev: --listen: "99" is no address of host and port`},
		{"--bot notaurl", `wactor: dev: --bot: "notaurl" is no http or https address`},
		{"--listen 203.0.113.5:1", "wactor: dev: --listen: listen tcp 203.0.113.5:1: "},
		{"--data /dev/null", "wactor: dev: --data: "},
	} {
		if _, problems, code := runMain(t, t.TempDir(), append([]string{"dev"},
			strings.Fields(c.args)...)...); code != 1 || !strings.HasPrefix(problems, c.want) {
			t.Errorf("wactor dev %s: exit status %d, %s", c.args, code, problems)
		}
	}
}

// TestDevWarnsOfStrangers: the phone has no password.
func TestDevWarnsOfStrangers(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:1": true, "[::1]:1": true, "0.0.0.0:1": false,
		"[::]:1": false, "192.0.2.1:1": false} {
		if got := config.Loopback(address); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
	var out strings.Builder
	d := dev{listen: "0.0.0.0:8080", out: &out}
	if d.welcome(); !strings.Contains(out.String(), "WARNING") {
		t.Errorf("printed %s", out.String())
	}
	out.Reset()
	d.listen = firstAddress
	if d.welcome(); strings.Contains(out.String(), "WARNING") {
		t.Errorf("printed %s", out.String())
	}
}

// TestDevTellsOfAFlowThatIsGone: once, and the file may come back.
func TestDevTellsOfAFlowThatIsGone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "my.yaml")
	save(t, file, goodFlow)
	_, output := startDev(t, file)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	const gone = "no such file or directory: the bot stays the one it was until the file is back"
	output.await(t, gone)
	save(t, file, strings.ReplaceAll(goodFlow, "hello", "good evening"))
	if printed := output.await(t, "changed: the bot is the new one"); strings.Count(printed, gone) != 1 {
		t.Errorf("printed:\n%s", printed)
	}
}
