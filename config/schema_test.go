package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	yaml "github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaFile = "../docs/wactor.schema.json"

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	schema, err := compiler.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// conforms holds a YAML file to the schema, as an editor does.
func conforms(t *testing.T, schema *jsonschema.Schema, file string) error {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := yaml.YAMLToJSON(src)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(asJSON)))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

func TestSchemaAccepts(t *testing.T) {
	schema := compileSchema(t)
	files, err := filepath.Glob("../examples/*/wactor.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("examples %q, %v", files, err)
	}
	for _, file := range append(files, "testdata/full.yaml") {
		if err := conforms(t, schema, file); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	schema := compileSchema(t)
	for _, name := range []string{"bounds", "policies", "types", "list", "empty"} {
		if conforms(t, schema, "testdata/problems/"+name+".yaml") == nil {
			t.Errorf("%s.yaml passes", name)
		}
	}
}

// TestSchemaKeys compares the schema with what the decoder knows: the keys, and their defaults.
func TestSchemaKeys(t *testing.T) {
	src, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var root schemaNode
	if err := json.Unmarshal(src, &root); err != nil {
		t.Fatal(err)
	}
	known := map[string]*schemaNode{}
	root.collect("", &root, known)
	got := map[string]bool{}
	for path := range known {
		got[path] = true
	}
	if diff := cmp.Diff(paths(keys()), got); diff != "" {
		t.Errorf("keys (-decoder +schema):\n%s", diff)
	}
	for _, k := range keys() {
		node := known[k.path]
		switch {
		case node == nil:
		case node.Description == "":
			t.Errorf("%s has no description", k.path)
		case node.Default != nil && !sameDefault(k.value, fmt.Sprint(node.Default)):
			t.Errorf("%s: default %v, the decoder's is %q", k.path, node.Default, k.value)
		}
		if node != nil && k.words != nil {
			if diff := cmp.Diff(k.words, node.words(&root)); diff != "" {
				t.Errorf("%s: words (-decoder +schema):\n%s", k.path, diff)
			}
		}
	}
}

// sameDefault compares defaults as they may be written: 24h and 1d are one.
func sameDefault(want, got string) bool {
	wantDuration, isDuration := parseDuration(want)
	gotDuration, ok := parseDuration(got)
	return want == got || isDuration && ok && wantDuration == gotDuration
}

// schemaNode is as much of a JSON Schema as tells keys.
type schemaNode struct {
	Ref                  string
	Description          string
	Default              any
	Properties           map[string]*schemaNode
	Items                *schemaNode
	AdditionalProperties json.RawMessage
	AnyOf                []*schemaNode
	Enum                 []any
	Defs                 map[string]*schemaNode
}

// UnmarshalJSON takes the keys with a dollar sign, and schemas that are true or false.
func (n *schemaNode) UnmarshalJSON(src []byte) error {
	if src[0] != '{' {
		return nil
	}
	type plain schemaNode
	var special struct {
		Ref  string                 `json:"$ref"`
		Defs map[string]*schemaNode `json:"$defs"`
	}
	if err := json.Unmarshal(src, (*plain)(n)); err != nil {
		return err
	}
	if err := json.Unmarshal(src, &special); err != nil {
		return err
	}
	n.Ref, n.Defs = special.Ref, special.Defs
	return nil
}

// words are those that a node allows.
func (n *schemaNode) words(root *schemaNode) (words []string) {
	if name, ok := strings.CutPrefix(n.Ref, "#/$defs/"); ok {
		words = root.Defs[name].words(root)
	}
	for _, word := range n.Enum {
		words = append(words, fmt.Sprint(word))
	}
	for _, other := range n.AnyOf {
		words = append(words, other.words(root)...)
	}
	return words
}

// collect notes all keys at and below a node.
func (n *schemaNode) collect(path string, root *schemaNode, into map[string]*schemaNode) {
	if name, ok := strings.CutPrefix(n.Ref, "#/$defs/"); ok {
		root.Defs[name].collect(path, root, into)
	}
	for _, other := range n.AnyOf {
		other.collect(path, root, into)
	}
	for name, property := range n.Properties {
		at, below := child(path, name), property
		switch at {
		case "channels":
			at, below = "channels[]", property.Items
		case "admin.principals":
			at, below = "admin.principals.NAME", root.Defs["principal"]
		case "bots":
			at, below = "bots.NAME", root.Defs["bot"]
		}
		into[at] = property
		below.collect(at, root, into)
	}
	if n.Properties != nil && string(n.AdditionalProperties) != "false" {
		into[child(path, "anything")] = n
	}
}
