package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

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
	output = &lines{more: make(chan struct{}, 1)}
	command := devCommand()
	command.SetArgs(append([]string{"--listen", "127.0.0.1:0", "--data", t.TempDir()}, args...))
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
	return regexp.MustCompile(`http://[0-9.:]+`).FindString(output.await(t, "Your bot is at")), output
}

func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "google-chrome", "chromium-browser", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no chromium is installed: the page is not tried in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 900))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // the browser lives as long as the context of the first call
		t.Fatal(err)
	}
	return ctx
}

// TestPhoneInABrowser chats as a newcomer does: a message, five at once, a button, a row of a list, the same webhook twice.
// Where WACTOR_SCREENSHOTS names a folder it leaves pictures there.
func TestPhoneInABrowser(t *testing.T) {
	ctx := browser(t)
	address, _ := startDev(t)
	says := func(text string) step {
		return chromedp.WaitVisible(fmt.Sprintf(`//div[contains(@class, "bubble in") and contains(., %q)]`, text))
	}
	write := func(text string) step { return chromedp.SendKeys(chromedp.CSS("#text"), text+"\r") }
	press := func(title string) step {
		return chromedp.Click(fmt.Sprintf(`(//button[contains(., %q)])[last()]`, title))
	}
	click := func(id string) step { return chromedp.Click(chromedp.CSS(id)) }
	good := chromedp.WaitVisible(chromedp.CSS("#verdict.good"))

	try(t, ctx, chromedp.Navigate(address), write("hi"), says("Hello Ana"), click("#five"), good)
	expectVerdict(t, ctx, "Steps 1, 2, 3, 4, 5: in order")
	try(t, ctx, write("menu"), says("What shall I show you"), press("A list"), says("Something to drink"), press("See the drinks"))
	picture(t, ctx, "list", 1280, 900, "light")
	try(t, ctx, press("Tea"), says("Tea it is"))
	picture(t, ctx, "desktop", 1280, 900, "light")
	picture(t, ctx, "dark", 1280, 900, "dark")
	picture(t, ctx, "mobile", 390, 844, "light")
	try(t, ctx, chromedp.EmulateViewport(1280, 900), click("#twice"), good, says("step 6: twice"))
	expectVerdict(t, ctx, "Step 6: in order")
}

type step = chromedp.Action[chromedp.Void]

func try(t *testing.T, ctx context.Context, steps ...step) {
	t.Helper()
	for i, s := range steps {
		limited, cancel := context.WithTimeout(ctx, 20*time.Second)
		err := chromedp.Do(limited, s)
		cancel()
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
}

func expectVerdict(t *testing.T, ctx context.Context, want string) {
	t.Helper()
	verdict, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("#verdict")))
	if err != nil || !strings.Contains(verdict, want) {
		t.Errorf("verdict %q, %v; want %q", verdict, err, want)
	}
}

func picture(t *testing.T, ctx context.Context, name string, width, height int64, scheme string) {
	t.Helper()
	folder := os.Getenv("WACTOR_SCREENSHOTS")
	if folder == "" {
		return
	}
	inScheme := chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
	try(t, ctx, chromedp.EmulateViewport(width, height), inScheme, chromedp.Sleep(300*time.Millisecond))
	image, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), image, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDevTakesASavedFlow: mistakes are printed and change nothing; a good flow becomes the bot.
func TestDevTakesASavedFlow(t *testing.T) {
	file := filepath.Join(t.TempDir(), "my.yaml")
	save := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const good = "name: mine\nstart: a\nsteps:\n  a: { say: hello, wait: a }\n"
	save(good)
	_, output := startDev(t, file)
	save(good + "  b: { say: hello, gotoo: a }\n")
	output.await(t, "the bot stays the one it was")
	save(good + "# changed\n")
	output.await(t, "the bot is the new one")
}
