package examples

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

const contractPage = "../docs/bots.md"

func readPage(t *testing.T, path string) string {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// blocks returns the code blocks of a language under a heading, or of the whole page where there is
// none.
func blocks(t *testing.T, path, heading, language string) []string {
	t.Helper()
	page := readPage(t, path)
	if heading != "" {
		_, below, found := strings.Cut(page, "\n## "+heading+"\n")
		if !found {
			t.Fatalf("%s has no heading %q", path, heading)
		}
		page, _, _ = strings.Cut(below, "\n## ")
	}
	var found []string
	for _, match := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(page, -1) {
		found = append(found, match[1])
	}
	if len(found) == 0 {
		t.Fatalf("%s has no %s under %q", path, language, heading)
	}
	return found
}

// TestEveryFieldIsDocumented compares the page with the contract.
func TestEveryFieldIsDocumented(t *testing.T) {
	page := readPage(t, contractPage)
	for _, message := range []protoreflect.ProtoMessage{
		&wactorv1.TurnRequest{}, &wactorv1.InboundMessage{}, &wactorv1.TurnResponse{}, &wactorv1.SetTimer{},
		&wactorv1.Reply{},
		&wactorv1.Buttons{}, &wactorv1.List{}, &wactorv1.CallToAction{}, &wactorv1.Template{}, &wactorv1.Location{},
		&wactorv1.Choice{}, &wactorv1.Media{},
	} {
		fields := message.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			name := fields.Get(i).JSONName()
			if !regexp.MustCompile("`[^`\n]*\\b" + name + "\\b[^`\n]*`").MatchString(page) {
				t.Errorf("%s does not name %s", contractPage, fields.Get(i).FullName())
			}
		}
	}
}

// TestDocumentedSignatureChecks holds the page's functions against those of the example bots, which
// other tests run.
func TestDocumentedSignatureChecks(t *testing.T) {
	for language, c := range map[string]struct{ script, begin string }{
		"js":     {"node-bot/bot.mjs", "function signed("},
		"python": {"python-bot/bot.py", "def signed("},
	} {
		script := code(readPage(t, c.script))
		for _, block := range blocks(t, contractPage, "Headers and the signature", language) {
			_, body, found := strings.Cut(block, c.begin)
			if !found || !strings.Contains(script, code(c.begin+body)) {
				t.Errorf("the %s of the page is not that of %s", language, c.script)
			}
		}
	}
}

// code is a text without comments, docstrings and blank lines.
func code(text string) string {
	text = regexp.MustCompile(`(?s)"""(.*?)"""`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`(?m)\s+(//|#) .*$`).ReplaceAllString(text, "")
	return regexp.MustCompile(`\s*\n\s*`).ReplaceAllString(strings.TrimSpace(text), "\n")
}

// TestReadmeBots runs the programs that the README shows, as they are but for their port.
func TestReadmeBots(t *testing.T) {
	const announce = "listening on http://127.0.0.1:"
	programs := map[string]struct{ program, source string }{
		"Node.js": {"node", blocks(t, "../README.md", "", "js")[0]},
		"Python":  {"python3", blocks(t, "../README.md", "", "python")[0]},
	}
	for name, p := range programs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, extension := p.source, ".py"
			if p.program == "node" {
				extension = ".js"
				source = strings.Replace(source, `.listen(3000, "127.0.0.1")`,
					`.listen(0, "127.0.0.1", function () { console.log("`+announce+`" + this.address().port) })`, 1)
			} else {
				source = strings.Replace(source, `ThreadingHTTPServer(("127.0.0.1", 3000), Bot).serve_forever()`,
					`server = ThreadingHTTPServer(("127.0.0.1", 0), Bot)
print("`+announce+`" + str(server.server_address[1]), flush=True)
server.serve_forever()`, 1)
			}
			if source == p.source {
				t.Fatal("the program does not listen where it did")
			}
			script := t.TempDir() + "/bot" + extension
			if err := os.WriteFile(script, []byte(source), 0o600); err != nil {
				t.Fatal(err)
			}
			b := connect(t, start(t, p.program, script), "any, it does not check")
			for _, want := range []string{`{"n":1}`, `{"n":2}`} {
				state := `{"n":` + string(want[5]-1) + `}`
				answer, err := b.Turn(t.Context(), turnOf(want, state, "hello"))
				if err != nil {
					t.Fatal(err)
				}
				got, replies := texts(answer)
				if got != want || len(replies) != 1 || replies[0] != "step "+string(want[5])+": hello" {
					t.Errorf("state %s, replies %q", got, replies)
				}
			}
		})
	}
}
