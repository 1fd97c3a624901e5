package config

import (
	"encoding"
	"reflect"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/wactor/wactor/internal/secret"
)

// scalar decodes a text, number, true or false, with its references expanded.
func (d *decoder) scalar(path string, node ast.Node, into reflect.Value) {
	text, isText, ok := written(node)
	if !ok {
		d.add(path, "", "must be %s, not %s", want(into), kind(node))
		return
	}
	value, refers, lost := d.sources.expand(text)
	if lost != nil {
		d.add(path, lost.remedy, "%s", lost.message)
		return
	}
	if file := d.sources.lastFile; file != "" && into.Type() == secretType {
		d.secretFiles[path] = file
	}
	if refers {
		at := d.places[path]
		at.source = text
		d.places[path] = at
	}
	d.set(path, value, isText, refers, into, node)
}

// set stores a value. What was put in by a reference is a text in the file, but may be a number or
// a bool in the configuration.
func (d *decoder) set(path, value string, isText, refers bool, into reflect.Value, node ast.Node) {
	if word, isWord := into.Addr().Interface().(word); isWord {
		if !isText || word.UnmarshalText([]byte(value)) != nil {
			d.oneOf(path, value, word.Words()...)
		}
		return
	}
	var ok bool
	switch into.Type() {
	case secretType:
		one := secret.New(value)
		if written, _, _ := written(node); wholeReference(written) {
			one = secret.FromFile(value, d.sources.lastFile)
		}
		into.Set(reflect.ValueOf(one))
		ok = isText
	case durationType:
		var duration time.Duration
		duration, ok = parseDuration(value)
		into.SetInt(int64(duration))
	case sizeType:
		var size Size
		size, ok = parseSize(value)
		into.SetInt(int64(size))
	case paceType:
		ok = value == "off"
		into.Set(reflect.ValueOf(Pace{Off: ok}))
	default:
		ok = setKind(value, isText, refers, into)
	}
	switch {
	case ok:
	case into.Type() == secretType, into.Kind() == reflect.String:
		d.add(path, "put it in quotes", "must be %s, not %s", want(into), kind(node))
	case isText && setKind(value, false, false, into):
		d.add(path, "remove the quotes", "must be %s, not a text", want(into))
	default:
		d.add(path, "", "must be %s, not %s", want(into), d.quote(path, value))
	}
}

// word is one of a few texts, such as the name of a policy.
type word interface {
	encoding.TextUnmarshaler
	Words() []string
}

func setKind(value string, isText, refers bool, into reflect.Value) bool {
	switch into.Kind() {
	case reflect.String:
		into.SetString(value)
		return isText
	case reflect.Bool:
		into.SetBool(value == "true")
		return (value == "true" || value == "false") && (!isText || refers)
	case reflect.Int:
		n, err := strconv.Atoi(value)
		into.SetInt(int64(n))
		return err == nil && (!isText || refers)
	}
	return false
}

// written returns a scalar as it stands in the file, and whether it is a text.
func written(node ast.Node) (value string, isText, ok bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true, true
	case *ast.LiteralNode:
		return n.Value.Value, true, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return node.GetToken().Value, false, true
	}
	return "", false, false
}

// want says what a value must be.
func want(into reflect.Value) string {
	switch into.Type() {
	case secretType:
		return "a text"
	case durationType:
		return "a duration such as 1500ms, 30s or 9d"
	case sizeType:
		return "a size such as 64KiB or 3MiB"
	case paceType:
		return "off, or a mapping of keys to values"
	}
	switch into.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	}
	return "a text"
}

// kind says what a node is.
func kind(node ast.Node) string {
	switch node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		return "a text"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case ast.MapNode:
		return "a mapping"
	case ast.ArrayNode:
		return "a list"
	}
	return "this"
}
