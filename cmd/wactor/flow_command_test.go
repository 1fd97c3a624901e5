package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runFlow runs wactor flow with arguments and an input, and returns what it printed.
func runFlow(t *testing.T, input string, args ...string) (string, error) {
	t.Helper()
	command := flowCommand()
	command.SilenceErrors, command.SilenceUsage = true, true
	var out bytes.Buffer
	command.SetArgs(args)
	command.SetIn(strings.NewReader(input))
	command.SetOut(&out)
	command.SetErr(&out)
	err := command.ExecuteContext(t.Context())
	return out.String(), err
}

func writeFlow(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const ordersFlow = "../../examples/orders/flow.yaml"

func TestFlowCheck(t *testing.T) {
	if out, err := runFlow(t, "", "check", ordersFlow); err != nil || !strings.Contains(out, "flow.yaml: ok") {
		t.Errorf("%v %s", err, out)
	}
	broken := writeFlow(t, "broken.yaml", "name: x\nstart: a\nsteps: { b: { end: true } }\n")
	out, err := runFlow(t, "", "check", broken, ordersFlow, "none.yaml")
	for _, want := range []string{"broken.yaml:2:8: there is no step a", "orders/flow.yaml: ok",
		"none.yaml: no such file"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	if (err != quietError{1}) {
		t.Errorf("the error is %v", err)
	}
}

func TestFlowChat(t *testing.T) {
	talk := "hi\n[tap Pretzel]\n12\n/state\n[tap Nothing]\nstop\n/reset\n\n/quit\nnever read\n"
	out, err := runFlow(t, talk, "chat", ordersFlow, "--name", "Bo")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"< Welcome to the bakery, Bo!", "| [Pretzel] salted - 1.10 €", "> < 12 × Pretzel added.", `~ {"asked":true,"step":"more"`,
		"! transcript: not a message", "< Nothing is ordered.", "! end",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
}

// TestFlowChatFailure: a turn that fails is shown, and the talk goes on.
func TestFlowChatFailure(t *testing.T) {
	file := writeFlow(t, "flow.yaml", "name: x\nstart: a\nsteps: { a: { say: '{{ 1 / int(message.text) }}', wait: a "+
		"} }\n")
	out, err := runFlow(t, "0\n4", "chat", file)
	if err != nil || !strings.Contains(out, "! the turn failed") || !strings.Contains(out, "< 0.25") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestFlowGraph(t *testing.T) {
	out, err := runFlow(t, "", "graph", ordersFlow)
	for _, want := range []string{"flowchart TD\n", "user -->|\"start\"| s0\n", "s1[/\"menu\"/]\n",
		"-->|\"Sourdough bread, Croissant, Pretzel, Apple cake\"|", "([\"stop\"])"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	if err != nil {
		t.Error(err)
	}
	out, err = runFlow(t, "", "graph", "--format", "dot", ordersFlow)
	if err != nil || !strings.Contains(out, `"book" -> "by-hand" [label="on_error"];`) {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err = runFlow(t, "", "graph", "-f", "png", ordersFlow); err == nil {
		t.Error("png is a format")
	}
}

func TestFlowTest(t *testing.T) {
	if out, err := runFlow(t, "", "test", "../../examples"); err != nil || strings.Count(out, ": ok\n") < 2 {
		t.Errorf("%v\n%s", err, out)
	}
	file := writeFlow(t, "x.transcript", "> hi\n< Hello.\n> again\n")
	flowFile := strings.TrimSuffix(file, ".transcript") + ".yaml"
	if err := os.WriteFile(flowFile, []byte("name: x\nstart: a\nsteps: { a: { say: Good day., wait: a } }\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	out, err := runFlow(t, "", "test", filepath.Dir(file))
	if (err != quietError{1}) || !strings.Contains(out, "x.transcript:2: the flow answers otherwise\n  kept:\n    < "+
		"Hello.\n    > again\n") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err = runFlow(t, "", "test", "--update", file); err != nil || !strings.Contains(out, "updated") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err = runFlow(t, "", "test", file); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err = runFlow(t, "", "test", flowFile); err == nil || !strings.Contains(err.Error(),
		"x.yaml is a flow: give its transcript, such as "+file) {
		t.Errorf("a flow in place of a transcript: %v", err)
	}
	if _, err = runFlow(t, "", "test", t.TempDir()); err == nil {
		t.Error("an empty folder has transcripts")
	}
}

// TestFlowTestPlaces: errors name the file and the line.
func TestFlowTestPlaces(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"good.yaml": goodFlow, "bad.yaml": "name: x\nstart: a\nsteps: { b: { end: true } }\n",
		"line.transcript":  "@ flow good.yaml\n> hi\n< hello\nwhat\n",
		"tap.transcript":   "@ flow good.yaml\n> [tap Nothing]\n",
		"flow.transcript":  "@ flow bad.yaml\n> hi\n",
		"alone.transcript": "> hi\n",
	} {
		save(t, filepath.Join(folder, name), text)
	}
	out, err := runFlow(t, "", "test", folder)
	if (err != quietError{1}) {
		t.Errorf("the error is %v", err)
	}
	for _, want := range []string{
		"line.transcript:4: \"what\" starts with none of", "tap.transcript:2: transcript: not a message: nothing " +
			"with the title",
		"bad.yaml:2:8: there is no step a", "flow.transcript: its flow has mistakes",
		"alone.transcript: its flow can't be read: open ", "@ flow NAME",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
}
