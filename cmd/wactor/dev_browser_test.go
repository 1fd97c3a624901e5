package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

func browser(t *testing.T) context.Context {
	t.Helper()
	needSystem(t)
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
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.WindowSize(1280, 900))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	// the browser lives as long as the context of the first call
	if err := chromedp.Do(ctx, still("light")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

type step = chromedp.Action[chromedp.Void]

func try(t *testing.T, ctx context.Context, steps ...step) {
	t.Helper()
	for i, s := range steps {
		limited, cancel := context.WithTimeout(ctx, 20*time.Second)
		err := chromedp.Do(limited, s)
		cancel()
		if err != nil {
			keep(t, ctx, "failed")
			t.Fatalf("step %d: %v", i, err)
		}
	}
}

// The words of a chat. XPath 1.0 has no way to escape a quote, so texts have none.
func says(text string) step {
	return chromedp.WaitVisible(fmt.Sprintf(`//div[contains(@class, "bubble in") and contains(., %q)]`, text))
}
func shows(css string) step  { return chromedp.WaitVisible(chromedp.CSS(css)) }
func click(css string) step  { return chromedp.Click(chromedp.CSS(css)) }
func write(text string) step { return chromedp.SendKeys(chromedp.CSS("#text"), text+"\r") }
func press(title string) step {
	return chromedp.Click(fmt.Sprintf(`(//button[contains(., %q)])[last()]`, title))
}

// expect evaluates an expression of the page, or what it promises.
func expect[T comparable](t *testing.T, ctx context.Context, expression string, want T) {
	t.Helper()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression,
		func(p *runtime.EvaluateParams) { p.AwaitPromise = new(true) }))
	if err != nil || got != want {
		t.Errorf("%s: %v, %v; want %v", expression, got, err, want)
	}
}

// still is a page that does not move, so that what is clicked is where it was, in light or dark.
func still(scheme string) step {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme},
				{Name: "prefers-reduced-motion", Value: "reduce"}},
		})
		return err
	})
}

// picture leaves a picture where WACTOR_SCREENSHOTS names a folder.
func picture(t *testing.T, ctx context.Context, name string, width, height int64, scheme string) {
	t.Helper()
	if os.Getenv("WACTOR_SCREENSHOTS") == "" {
		return
	}
	try(t, ctx, chromedp.EmulateViewport(width, height), still(scheme))
	keep(t, ctx, name)
}

func keep(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	folder := os.Getenv("WACTOR_SCREENSHOTS")
	if folder == "" {
		return
	}
	image, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), image, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestPhoneInABrowser chats as a newcomer does: a message, five at once, a button, a row of a list,
// the same webhook twice.
func TestPhoneInABrowser(t *testing.T) {
	ctx := browser(t)
	address, _ := startDev(t)
	try(t, ctx, chromedp.Navigate(address), shows("#timeline"))
	picture(t, ctx, "first", 1280, 900, "light")
	try(t, ctx, write("hi"), says("Hello Ana"))
	expect(t, ctx, `document.activeElement.id + document.querySelector("#text").value`, "text")
	try(t, ctx, click("#five"), shows("#verdict.good"))
	expect(t, ctx, `document.querySelector("#verdict").textContent`, "Steps 1, 2, 3, 4, 5: in order, none twice, none lost.")
	expect(t, ctx, `document.querySelectorAll("#answers li").length`, 5)
	try(t, ctx, write("menu"), says("What should I show you"), press("A list"), says("Something to drink"),
		press("See the drinks"))
	expect(t, ctx, `document.activeElement.textContent`, "Coffeefrom a small roastery")
	picture(t, ctx, "list", 1280, 900, "light")
	try(t, ctx, press("Tea"), says("Tea it is"), chromedp.WaitReady(chromedp.CSS(".bubble.out:last-of-type "+
		".ticks.read, .ticks.read")))
	picture(t, ctx, "desktop", 1280, 900, "light")
	picture(t, ctx, "dark", 1280, 900, "dark")
	try(t, ctx, chromedp.EmulateViewport(1280, 900), click("#twice"), chromedp.WaitVisible(`//*[@id="verdict" and contains(., "Step 6: in order")]`))
	try(t, ctx, click("#new-user"), write("hello"), says("Hello Ben"))
	expect(t, ctx, `document.querySelectorAll(".thread").length + " " + document.querySelectorAll("#chat .bubble").length`, "2 2")
	try(t, ctx, chromedp.Reload(), says("Hello Ben"))
	expect(t, ctx, `document.querySelectorAll("#chat .bubble").length`, 2)
}

// TestPhoneOnASmallScreen: the phone fills it, and the panels are drawn over it.
func TestPhoneOnASmallScreen(t *testing.T) {
	ctx := browser(t)
	address, _ := startDev(t)
	try(t, ctx, chromedp.EmulateViewport(390, 844), chromedp.Navigate(address), press("Say hi"), says("Hello Ana"))
	expect(t, ctx, `document.querySelector("#phone").getBoundingClientRect().width`, 390.0)
	expect(t, ctx, `document.documentElement.scrollWidth`, 390)
	expect(t, ctx, `document.querySelector("#lab").inert && document.querySelector("#people").inert`, true)
	picture(t, ctx, "mobile", 390, 844, "light")
	try(t, ctx, click("#open-lab"), shows("#five"), click("#five"), shows("#verdict.good"))
	expect(t, ctx, `document.querySelector("#phone").inert`, true)
	picture(t, ctx, "mobile-lab", 390, 844, "light")
	try(t, ctx, click("#lab .close"), click("#open-people"), shows("#new-user"))
	picture(t, ctx, "mobile-people", 390, 844, "dark")
	try(t, ctx, click("#new-user"), write("hi"), says("Hello Ben"), click("#attach"), press("Location"),
		press("Hagia Sophia"), shows(".bubble.out.location"))
	picture(t, ctx, "mobile-dark", 390, 844, "dark")
}

// TestVerdicts: the page must not praise a bot that races.
func TestVerdicts(t *testing.T) {
	ctx := browser(t)
	address, _ := startDev(t)
	try(t, ctx, chromedp.Navigate(address))
	for _, c := range []struct{ texts, answers, want string }{
		{`["a","b","c"]`, `["step 4: b","step 5: a","step 6: c"]`, "true Steps 4, 5, 6: in order, none twice, none lost."},
		{`["a","b","c"]`, `["step 4: b","step 4: a","step 5: c"]`, "false Steps 4, 4, 5: they raced."},
		{`["a","b","c"]`, `["step 5: b","step 4: a","step 6: c"]`, "false Steps 5, 4, 6: they raced."},
		{`["a","b"]`, `["step 1: a","step 3: b"]`, "false Steps 1, 3: they raced."},
		{`["a"]`, `["step 1: a","step 2: a"]`, "false Steps 1, 2: 2 answers to 1."},
		{`["a","b"]`, `["step 1: a"]`, "false 1 of 2 answers came within 20 s."},
		{`["a","b"]`, `["you said b","you said a"]`, "true Every message was answered exactly once."},
		{`["a","b"]`, `["you said b","you said b"]`, "null 2 answers to 2 messages."},
	} {
		expect(t, ctx, `import("/phone/experiment.js").then(({ judge }) => judge(`+c.texts+`, `+c.answers+`)).then(({ good, verdict }) => good + " " + verdict.split(" A bot")[0])`, c.want)
	}
}

// TestPhoneShowsEveryReply: what an HTTP bot may answer, with texts that try to be HTML.
func TestPhoneShowsEveryReply(t *testing.T) {
	ctx := browser(t)
	const attack = `<img src=x onerror=alert(1)><b>no html</b>`
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var turn struct {
			Messages []struct{ ID, Type, Text, ContextID string }
		}
		if err := json.NewDecoder(r.Body).Decode(&turn); err != nil || len(turn.Messages) == 0 {
			t.Errorf("turn %+v, %v", turn, err)
			return
		}
		m := turn.Messages[0]
		replies := fmt.Sprintf(`{"text":"got %s"}`, m.Type)
		switch m.Text {
		case "texts":
			replies = `{"text":"*bold*, _italic_, ~struck~, ` + "`code`" + ` and 2*3*4, snake_case_name, https://example.com/a_b_c. ` + attack + `","replyTo":"` + m.ID + `"},
				{"reaction":{"messageId":"` + m.ID + `","emoji":"❤️"}},
				{"buttons":{"body":"Was that *right*?","header":{"text":"A header"},"footer":"a footer","options":[{"id":"y","title":"Yes"},{"id":"n","title":"No"}]}},
				{"cta":{"body":"Your order is ready.","title":"Open order","url":"https://example.com/orders/1"}}`
		case "files":
			replies = `{"media":{"type":"image","link":"https://localhost:1/cake.jpg","caption":"a picture that is gone"}},
				{"media":{"type":"document","link":"https://example.com/invoice.pdf","filename":"invoice.pdf","caption":"Your invoice"}},
				{"media":{"type":"audio","id":"123"}},
				{"location":{"latitude":52.52,"longitude":13.405,"name":"Bakery","address":"Main street 1"}},
				{"template":{"name":"order_ready","language":"en_US"}},
				{"locationRequest":"Where should we deliver?"}`
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"replies":[%s]}`, replies)
	}))
	defer bot.Close()
	address, _ := startDev(t, "--bot", bot.URL)
	try(t, ctx, chromedp.Navigate(address), write("texts"), says("Your order is ready."), shows(".reaction"))
	expect(t, ctx, `[...document.querySelectorAll(".bubble.in")][0].querySelector("p").innerHTML.replace(/<a [^>]*>/, "<a>")`,
		`<strong>bold</strong>, <em>italic</em>, <s>struck</s>, <code>code</code> and 2*3*4, snake_case_name, <a>https://example.com/a_b_c</a>. `+
			strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(attack))
	expect(t, ctx, `document.querySelector(".bubble.in .quote").textContent`, "Youtexts")
	expect(t, ctx, `document.querySelector("a.option").rel + " " + document.querySelector("a.option").href`, "noopener noreferrer https://example.com/orders/1")
	picture(t, ctx, "texts", 1280, 900, "light")
	try(t, ctx, press("Yes"), says("got button_reply"), write("files"), says("Where should we deliver?"),
		says("can't be loaded"))
	picture(t, ctx, "files", 1280, 900, "light")
	try(t, ctx, press("Send location"), press("Brandenburg Gate"), says("got location"))
	try(t, ctx, chromedp.SendKeys(chromedp.CSS("#text"), "look"), click("#attach"), press("Photo"), says("got image"),
		shows(".bubble.out.image img"))
	try(t, ctx, click("#attach"), press("Voice message"), says("got audio"), click("#attach"), press("Document"),
		says("got document"))
	picture(t, ctx, "attachments", 1280, 900, "dark")
	expect(t, ctx, `document.querySelector(".bubble.out.image").textContent.startsWith("look")`, true)
}
