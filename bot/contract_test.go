package bot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"google.golang.org/protobuf/reflect/protoreflect"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// contract are the two messages that bot writers meet, and all that they hold.
func contract() []protoreflect.MessageDescriptor {
	var all []protoreflect.MessageDescriptor
	var add func(m protoreflect.MessageDescriptor)
	add = func(m protoreflect.MessageDescriptor) {
		for _, known := range all {
			if known == m {
				return
			}
		}
		if m.ParentFile().Package() == "google.protobuf" {
			return
		}
		all = append(all, m)
		for i := range m.Fields().Len() {
			if inner := m.Fields().Get(i).Message(); inner != nil {
				add(inner)
			}
		}
	}
	add((&wactorv1.TurnRequest{}).ProtoReflect().Descriptor())
	add((&wactorv1.TurnResponse{}).ProtoReflect().Descriptor())
	return all
}

// schemaOf is the JSON Schema of a field's value, typeOf its type in TypeScript.
func schemaOf(f protoreflect.FieldDescriptor) map[string]any {
	switch f.Kind() {
	case protoreflect.MessageKind:
		switch f.Message().FullName() {
		case "google.protobuf.Struct":
			return map[string]any{"type": "object"}
		case "google.protobuf.Duration":
			return map[string]any{"type": "string", "pattern": `^[0-9]+(\.[0-9]+)?s$`}
		case "google.protobuf.Timestamp":
			return map[string]any{"type": "string", "format": "date-time"}
		}
		return map[string]any{"$ref": "#/$defs/" + string(f.Message().Name())}
	case protoreflect.BoolKind:
		return map[string]any{"type": "boolean"}
	case protoreflect.DoubleKind, protoreflect.Uint32Kind, protoreflect.Int32Kind:
		return map[string]any{"type": "number"}
	}
	return map[string]any{"type": "string"} // texts, and 64-bit numbers
}

func typeOf(f protoreflect.FieldDescriptor) string {
	schema := schemaOf(f)
	if ref, ok := schema["$ref"].(string); ok {
		return strings.TrimPrefix(ref, "#/$defs/")
	}
	if schema["type"] == "object" {
		return "Record<string, unknown>"
	}
	return schema["type"].(string)
}

// answered reports whether a message is one that a bot writes, in which an unknown key is a
// mistake; in a turn new keys may come.
func answered(name protoreflect.Name) bool {
	switch name {
	case "TurnRequest", "InboundMessage", "TimerFired", "User", "Choice":
		return false
	}
	return true
}

func schema() []byte {
	defs := map[string]any{}
	for _, m := range contract() {
		properties := map[string]any{}
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			value := schemaOf(f)
			if f.IsList() {
				value = map[string]any{"type": "array", "items": value}
			}
			if !answered(m.Name()) {
				value = map[string]any{"anyOf": []any{value, map[string]any{"type": "null"}}}
			}
			properties[f.JSONName()] = value
		}
		def := map[string]any{"type": "object", "properties": properties}
		if answered(m.Name()) {
			def["additionalProperties"] = false
		}
		defs[string(m.Name())] = def
	}
	out, _ := json.MarshalIndent(map[string]any{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "What goes between Wactor and a bot over HTTP",
		"description": "$defs/TurnRequest is what is posted, $defs/TurnResponse what is answered. Made from bot.proto.",
		"$defs":       defs,
		"$ref":        "#/$defs/TurnResponse",
	}, "", "  ")
	return append(out, '\n')
}

// always reports whether encodeTurn writes a field whatever it holds.
func always(message protoreflect.Name, field string) bool {
	switch message {
	case "TurnRequest":
		return field != "window_open_until" && field != "events"
	case "InboundMessage":
		return field == "id" || field == "type" || field == "text" || field == "late"
	case "User", "Choice":
		return true
	}
	return false
}

func types() []byte {
	var out bytes.Buffer
	out.WriteString("// What goes between Wactor and a bot over HTTP (docs/bots.md). Made from bot.proto: do not " +
		"edit.\n")
	for _, m := range contract() {
		fmt.Fprintf(&out, "\nexport interface %s {\n", m.Name())
		for i := range m.Fields().Len() {
			f := m.Fields().Get(i)
			name := typeOf(f)
			if f.IsList() {
				name += "[]"
			}
			optional := "?"
			if always(m.Name(), string(f.Name())) {
				optional = ""
			}
			if m.Name() == "TurnRequest" && f.Name() == "timer" {
				name += " | null"
			}
			fmt.Fprintf(&out, "  %s%s: %s;\n", f.JSONName(), optional, name)
		}
		out.WriteString("}\n")
	}
	return out.Bytes()
}

// TestContractIsCurrent: docs/bot.schema.json and docs/bot.d.ts say what bot.proto does; -update
// writes them.
func TestContractIsCurrent(t *testing.T) {
	for path, want := range map[string][]byte{"../docs/bot.schema.json": schema(), "../docs/bot.d.ts": types()} {
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what bot.proto makes of it (%v): go test ./bot -run Contract -update", path, err)
		}
	}
}

// TestSchemaAcceptsWhatIsSent: a turn as it goes over the wire, and the answers of docs/bots.md;
// it rejects a key that the decoder rejects too.
func TestSchemaAcceptsWhatIsSent(t *testing.T) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("bot.json", document); err != nil {
		t.Fatal(err)
	}
	turn, err := encodeTurn(fullTurn())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		def, text string
		fits      bool
	}{
		{"TurnRequest", string(turn), true},
		{"TurnRequest", `{"newer":1}`, true},
		{"TurnResponse", `{}`, true},
		{"TurnResponse", `{"state":{"a":1},"replies":[{"text":"a","previewUrl":true}],"timers":[{"name":"a","after":"1.5s"}]}`, true},
		{"TurnResponse", `{"replies":[{"txt":"a"}]}`, false},
		{"TurnResponse", `{"replies":{"text":"a"}}`, false},
		{"TurnResponse", `{"timers":[{"name":"a","after":"10m"}]}`, false},
	} {
		compiled, err := compiler.Compile("bot.json#/$defs/" + c.def)
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(value); (err == nil) != c.fits {
			t.Errorf("%s %s: %v", c.def, c.text, err)
		}
	}
}
