package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const checkedConfig = `node: { name: n }
channels:
  - { name: shop, provider: whatsapp_cloud, phone_number_id: "1", verify_token: a, app_secret: weak, access_token: c, bot: b }
bots: { b: { flow: flow.yaml, on_failure: { reply: sorry } } }
`

// TestCheckPrintsMistakesAndWarnings: as text and as JSON, with the flows' mistakes.
func TestCheckPrintsMistakesAndWarnings(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("wactor.yaml", checkedConfig)
	write("flow.yaml", "name: f\nstart: a\nsteps: { a: { say: hi, end: true } }\n")
	out, problems, code := runMain(t, dir, "check")
	if code != 0 || !strings.Contains(out, "wactor.yaml: ok, 1 channels, 1 bots") ||
		!strings.Contains(problems, "warning: wactor.yaml:3:96: channels[0].app_secret: is weak") {
		t.Errorf("exit status %d: %s%s", code, out, problems)
	}
	check := func(args ...string) (found checked, code int) {
		t.Helper()
		out, problems, code := runMain(t, dir, args...)
		if err := json.Unmarshal([]byte(out), &found); err != nil || problems != "" {
			t.Fatalf("%v: %s%s", err, out, problems)
		}
		return found, code
	}
	if found, code := check("check", "--json"); code != 0 || !found.OK || len(found.Warnings) != 2 ||
		found.Problems == nil || found.Channels != 1 {
		t.Errorf("exit status %d: %+v", code, found)
	}
	write("flow.yaml", "name: f\nstart: b\nsteps: { a: { say: hi, end: true } }\n")
	if found, code := check("check", "--json"); code != 1 || found.OK || len(found.Problems) == 0 ||
		found.Problems[0].Line != 2 || !strings.HasSuffix(found.Problems[0].File, "flow.yaml") {
		t.Errorf("a flow's mistake: exit status %d: %+v", code, found)
	}
	out, _, code = runMain(t, dir, "flow", "check", "--json", "flow.yaml")
	var flows []flowChecked
	if err := json.Unmarshal([]byte(out), &flows); err != nil || code != 1 || len(flows) != 1 || flows[0].OK {
		t.Errorf("flow check: exit status %d, %v: %s", code, err, out)
	}
	if found, code := check("check", "--json", "-c", "none.yaml"); code != 1 || len(found.Problems) != 1 {
		t.Errorf("no file: exit status %d: %+v", code, found)
	}
}
