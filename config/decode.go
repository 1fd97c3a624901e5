package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	yaml "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/wactor/wactor/internal/nearest"
	"github.com/wactor/wactor/internal/problem"
)

// decoder fills a Config from a YAML tree and goes on after a mistake. go-yaml's own decoder stops
// at the first one, and knows no place for a value once it is decoded.
type decoder struct {
	*report
	sources sources
	kinds   Kinds
	anchors map[string]ast.Node
	values  int // decoded so far
	// secretFiles are the files that secrets were read from, by the paths of the values.
	secretFiles map[string]string
	// readable says that there was a tree to decode.
	readable bool
}

// document decodes the one document of a file.
func (d *decoder) document(src []byte, into *Config) {
	d.places[""] = place{line: 1, column: 1}
	if len(src) > maxFileBytes {
		d.add("", "move what is no configuration out of it", "is larger than %d KiB", maxFileBytes>>10)
		return
	}
	tokens := lexer.Tokenize(string(src))
	if t, why := unbounded(tokens); t != nil {
		d.note(problem.Problem{File: d.file, Line: t.Position.Line, Column: t.Position.Column,
			Message: why})
		return
	}
	file, err := parse(tokens)
	if err != nil {
		d.syntax(src, err)
		return
	}
	var body ast.Node
	for _, document := range file.Docs {
		if document.Body == nil || document.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			d.problem(document.Body, "a second YAML document", "keep one document in the file")
			return
		}
		body = document.Body
	}
	d.readable = true
	d.anchors = map[string]ast.Node{}
	if body != nil {
		d.value("", body, reflect.ValueOf(into).Elem())
	}
}

// errParser reports a file at which the YAML library fails instead of naming a mistake.
var errParser = errors.New("not understood as YAML")

func parse(tokens token.Tokens) (file *ast.File, err error) {
	defer func() {
		if recover() != nil {
			err = errParser
		}
	}()
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// syntax reports a file that is no YAML. What the library shows of the source is left out: it may
// be a secret.
func (d *decoder) syntax(src []byte, err error) {
	p := problem.Problem{File: d.file, Line: 1, Column: 1, Message: errParser.Error(),
		Remedy: "check indentation, quotes and colons"}
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) {
		p.Message = "not YAML: " + syntax.Message
		if syntax.Token != nil && syntax.Token.Position != nil {
			p.Line, p.Column = syntax.Token.Position.Line, syntax.Token.Position.Column
		}
	}
	if lines := strings.Split(string(src), "\n"); p.Line <= len(lines) && strings.Contains(lines[p.Line-1], "${") {
		p.Remedy = `put "${...}" in quotes: inside { and [ a } would end it`
	}
	d.note(p)
}

// problem reports something that has no path.
func (d *decoder) problem(node ast.Node, message, remedy string) {
	at := position(node)
	d.note(problem.Problem{File: d.file, Line: at.line, Column: at.column, Message: message, Remedy: remedy})
}

func position(node ast.Node) place {
	if mapping, ok := node.(*ast.MappingNode); ok && !mapping.IsFlowStyle && len(mapping.Values) > 0 {
		node = mapping.Values[0].Key // the node's own token is the first colon
	}
	if entry, ok := node.(*ast.MappingValueNode); ok {
		node = entry.Key
	}
	if token := node.GetToken(); token != nil && token.Position != nil {
		return place{line: token.Position.Line, column: token.Position.Column}
	}
	return place{}
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	sizeType     = reflect.TypeFor[Size]()
	secretType   = reflect.TypeFor[Secret]()
	secretsType  = reflect.TypeFor[Secrets]()
	paceType     = reflect.TypeFor[Pace]()
)

// value decodes a node into a value of the configuration. Null leaves it as it is: the default.
func (d *decoder) value(path string, node ast.Node, into reflect.Value) {
	if d.values++; d.values > maxValues {
		d.add("", "write fewer channels, bots or aliases", "holds more than %d values", maxValues)
		return
	}
	if node = d.follow(path, node); node == nil {
		return
	}
	if _, known := d.places[path]; !known {
		d.places[path] = position(node)
	}
	if node.Type() == ast.NullType {
		return
	}
	switch into.Type() {
	case durationType, sizeType, secretType:
		d.scalar(path, node, into)
		return
	case paceType:
		if _, _, scalar := written(node); scalar {
			d.scalar(path, node, into)
			return
		}
	case secretsType:
		if _, list := node.(ast.ArrayNode); !list {
			into.Set(reflect.MakeSlice(secretsType, 1, 1))
			d.scalar(path, node, into.Index(0))
			return
		}
	}
	switch into.Kind() {
	case reflect.Struct:
		d.object(path, node, into)
	case reflect.Map:
		d.names(path, node, into)
	case reflect.Slice:
		d.list(path, node, into)
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		setDefaults(into)
		d.value(path, node, into.Elem())
	default:
		d.scalar(path, node, into)
	}
}

// follow resolves anchors, aliases and tags. It returns nil where it has reported a problem.
func (d *decoder) follow(path string, node ast.Node) ast.Node {
	for range 100 { // an alias can name an anchor around itself
		switch n := node.(type) {
		case *ast.AnchorNode:
			d.anchors[n.Name.String()] = n.Value
			node = n.Value
		case *ast.AliasNode:
			target, ok := d.anchors[n.Value.String()]
			if !ok {
				d.places[path] = position(n)
				d.add(path, "set the anchor before it is used", "alias *%s has no anchor", n.Value.String())
				return nil
			}
			node = target
		case *ast.TagNode:
			d.places[path] = position(n)
			d.add(path, "remove it", "tag %s is not supported", n.Start.Value)
			return nil
		default:
			return node
		}
	}
	d.add(path, "write the value out", "alias refers to itself")
	return nil
}

func setDefaults(pointer reflect.Value) {
	if d, ok := pointer.Interface().(defaulter); ok {
		d.setDefaults()
	}
}

// entries returns the keys and values of a mapping, each key once.
func (d *decoder) entries(path string, node ast.Node) []*ast.MappingValueNode {
	mapping, ok := node.(ast.MapNode)
	if !ok {
		d.add(path, "", "must be a mapping of keys to values, not %s", kind(node))
		return nil
	}
	seen := map[string]bool{}
	var entries []*ast.MappingValueNode
	for all := mapping.MapRange(); all.Next(); {
		entry := all.KeyValue()
		switch key, ok := keyText(entry); {
		case !ok:
			d.problem(entry, child(path, entry.Key.GetToken().Value)+": not a plain key",
				"write the keys out; merge keys and complex keys are not supported")
		case seen[key]:
			d.problem(entry, child(path, key)+": the key is there twice", "remove one")
		default:
			seen[key] = true
			entries = append(entries, entry)
		}
	}
	return entries
}

// keyText returns a key as it is written; not of merge keys and keys that are no scalars.
func keyText(entry *ast.MappingValueNode) (string, bool) {
	switch key := entry.Key.(type) {
	case *ast.StringNode:
		return key.Value, true
	case *ast.MergeKeyNode, *ast.MappingKeyNode, *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return "", false
	}
	return entry.Key.GetToken().Value, true
}

// object decodes a mapping with fixed keys.
func (d *decoder) object(path string, node ast.Node, into reflect.Value) {
	fields, entries := fieldsOf(into), d.entries(path, node)
	if channel, ok := into.Addr().Interface().(*Channel); ok {
		d.settings(path, entries, channel, fields)
	}
	var meant []string
	for _, entry := range entries {
		key, _ := keyText(entry)
		field, known := fields[key]
		if !known {
			meant = append(meant, d.unknown(path, key, entry, fields))
			continue
		}
		d.enter(child(path, key), entry)
		d.value(child(path, key), entry.Value, field)
	}
	for _, key := range meant {
		if key != "" && !d.has(child(path, key)) {
			d.faulty[child(path, key)] = true // it is not missing, it is misspelt
		}
	}
}

// enter notes where a key stands: its value, or the key itself where the value is more than a
// scalar.
func (d *decoder) enter(path string, entry *ast.MappingValueNode) {
	switch entry.Value.(type) {
	case ast.MapNode, ast.ArrayNode, *ast.NullNode, *ast.AnchorNode, *ast.AliasNode:
		d.places[path] = position(entry)
	}
}

// unknown reports an unknown key and returns the one that was probably meant.
func (d *decoder) unknown(path, key string, entry *ast.MappingValueNode, keys map[string]reflect.Value) string {
	words := make([]string, 0, len(keys))
	for word := range keys {
		words = append(words, word)
	}
	remedy := "remove it; docs/configuration.md lists the keys"
	word := nearest.Word(key, words)
	if word != "" {
		remedy = fmt.Sprintf("did you mean %s?", word)
	}
	d.problem(entry, child(path, key)+": unknown key", remedy)
	return word
}

// fieldsOf maps the keys of a part to its fields.
func fieldsOf(part reflect.Value) map[string]reflect.Value {
	fields := make(map[string]reflect.Value, part.NumField())
	for i := range part.NumField() {
		fields[part.Type().Field(i).Tag.Get("yaml")] = part.Field(i)
	}
	delete(fields, "-")
	return fields
}

// settings gives a channel the settings of its provider, and adds their keys to those that the
// channel may have.
func (d *decoder) settings(path string, entries []*ast.MappingValueNode, channel *Channel,
	fields map[string]reflect.Value) {
	name := ""
	path = child(path, "provider")
	for _, entry := range entries {
		if key, _ := keyText(entry); key != "provider" {
			continue
		}
		d.enter(path, entry)
		if d.value(path, entry.Value, reflect.ValueOf(&name).Elem()); name != "" {
			d.oneOf(path, name, d.kinds.names()...)
		}
	}
	d.required(path, name == "", "write "+alternatives(d.kinds.names()))
	channel.Settings = d.kinds.settings(name)
	maps.Copy(fields, fieldsOf(reflect.ValueOf(channel.Settings).Elem()))
}

// names decodes a mapping whose keys are names.
func (d *decoder) names(path string, node ast.Node, into reflect.Value) {
	into.Set(reflect.MakeMap(into.Type()))
	for _, entry := range d.entries(path, node) {
		key, _ := keyText(entry)
		d.enter(child(path, key), entry)
		into.SetMapIndex(reflect.ValueOf(key), d.part(child(path, key), entry.Value, into.Type().Elem()))
	}
}

func (d *decoder) list(path string, node ast.Node, into reflect.Value) {
	sequence, ok := node.(ast.ArrayNode)
	if !ok {
		d.add(path, "", "must be a list, not %s", kind(node))
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), 0, 0))
	for i, all := 0, sequence.ArrayRange(); all.Next(); i++ {
		into.Set(reflect.Append(into, d.part(element(path, i), all.Value(), into.Type().Elem())))
	}
}

// part decodes a value that may be there several times.
func (d *decoder) part(path string, node ast.Node, of reflect.Type) reflect.Value {
	pointer := reflect.New(of)
	setDefaults(pointer)
	d.value(path, node, pointer.Elem())
	return pointer.Elem()
}
