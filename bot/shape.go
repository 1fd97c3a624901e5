package bot

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/wactor/wactor/conversation"
	"github.com/wactor/wactor/internal/nearest"
)

// The walk below compares a JSON text with a protobuf message before protojson decodes it.
// protojson is as strict, but its errors quote values and name no path; a bot's author needs the
// path, and a log must not hold the values.

// checkMessage reports the first place where a JSON object is not the proto3 JSON form of a
// message.
func checkMessage(path string, raw json.RawMessage, message protoreflect.MessageDescriptor) *conversation.BotError {
	switch message.FullName() {
	case "google.protobuf.Struct":
		return checkStruct(path, raw)
	case "google.protobuf.Timestamp":
		if kindOf(raw) != kindString {
			return conversation.Permanent("%s: must be a time such as \"2026-12-01T09:00:00Z\"", path)
		}
		return nil
	case "google.protobuf.Duration":
		return checkDuration(path, raw)
	}
	if kindOf(raw) != kindObject {
		return wrongKind(path, kindObject, raw)
	}
	seen := map[protoreflect.Name]bool{}
	for _, member := range fields(raw) {
		descriptor := lookup(message, member.key)
		if descriptor == nil {
			return conversation.Permanent("%s: unknown key%s", join(path, label(member.key)), near(message, member.key))
		}
		at := join(path, descriptor.JSONName())
		if seen[descriptor.Name()] {
			return conversation.Permanent("%s: given twice", at)
		}
		seen[descriptor.Name()] = true
		if kindOf(member.value) == kindNull {
			continue // proto3 JSON: null is the same as absent
		}
		if oneof := descriptor.ContainingOneof(); oneof != nil {
			if seen[oneof.Name()] {
				return conversation.Permanent("%s: a second %s; only one is possible", at, oneof.Name())
			}
			seen[oneof.Name()] = true
		}
		if err := checkField(at, member.value, descriptor); err != nil {
			return err
		}
	}
	return nil
}

// near offers the name that was probably meant.
func near(message protoreflect.MessageDescriptor, key string) string {
	var names []string
	for i := range message.Fields().Len() {
		names = append(names, message.Fields().Get(i).JSONName())
	}
	if name := nearest.Word(key, names); name != "" {
		return ", did you mean " + name + "?"
	}
	return ""
}

// lookup finds a field by either of its two JSON names, lowerCamelCase and the proto's own.
func lookup(message protoreflect.MessageDescriptor, key string) protoreflect.FieldDescriptor {
	if descriptor := message.Fields().ByJSONName(key); descriptor != nil {
		return descriptor
	}
	return message.Fields().ByTextName(key)
}

func checkField(path string, raw json.RawMessage, descriptor protoreflect.FieldDescriptor) *conversation.BotError {
	if !descriptor.IsList() {
		return checkValue(path, raw, descriptor)
	}
	if kindOf(raw) != kindList {
		return wrongKind(path, kindList, raw)
	}
	for i, value := range elements(raw) {
		if err := checkValue(path+"["+strconv.Itoa(i)+"]", value, descriptor); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(path string, raw json.RawMessage, descriptor protoreflect.FieldDescriptor) *conversation.BotError {
	var want kind
	switch descriptor.Kind() {
	case protoreflect.MessageKind:
		return checkMessage(path, raw, descriptor.Message())
	case protoreflect.StringKind:
		want = kindString
	case protoreflect.BytesKind:
		return checkBytes(path, raw)
	case protoreflect.BoolKind:
		want = kindBool
	case protoreflect.DoubleKind:
		return checkNumber(path, raw)
	}
	if kindOf(raw) != want {
		return wrongKind(path, want, raw)
	}
	return nil
}

// checkBytes knows bytes as proto3 JSON has them: base64 of either alphabet.
func checkBytes(path string, raw json.RawMessage) *conversation.BotError {
	if kindOf(raw) != kindString {
		return wrongKind(path, kindString, raw)
	}
	text := strings.TrimRight(unquote(raw), "=")
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("+/-_", c) >= 0:
		default:
			return conversation.Permanent("%s: not base64", path)
		}
	}
	return nil
}

func checkNumber(path string, raw json.RawMessage) *conversation.BotError {
	if kindOf(raw) != kindNumber {
		return wrongKind(path, kindNumber, raw)
	}
	if _, err := strconv.ParseFloat(string(raw), 64); err != nil {
		return conversation.Permanent("%s: number out of range", path)
	}
	return nil
}

// durationForm is the proto3 JSON form of a duration.
var durationForm = regexp.MustCompile(`^"-?[0-9]{1,12}(\.[0-9]{1,9})?s"$`)

func checkDuration(path string, raw json.RawMessage) *conversation.BotError {
	if !durationForm.Match(raw) {
		return conversation.Permanent(`%s: must be a duration in seconds such as "600s"`, path)
	}
	return nil
}

// checkStruct refuses what a protobuf Struct can't hold as it is: repeated keys, and numbers that a
// double would change. A number changed in silence may be an order's. The state is not decoded and
// may hold anything.
func checkStruct(path string, raw json.RawMessage) *conversation.BotError {
	if kindOf(raw) != kindObject {
		return wrongKind(path, kindObject, raw)
	}
	if path == "state" {
		return nil
	}
	return checkFree(path, raw)
}

// checkFree names the place of a free-form value only down to the message's own field: its keys are
// the bot's.
func checkFree(path string, raw json.RawMessage) *conversation.BotError {
	switch kindOf(raw) {
	case kindObject:
		seen := map[string]bool{}
		for _, member := range fields(raw) {
			if seen[member.key] {
				return conversation.Permanent("%s: holds a key twice", path)
			}
			seen[member.key] = true
			if err := checkFree(path, member.value); err != nil {
				return err
			}
		}
	case kindList:
		for _, value := range elements(raw) {
			if err := checkFree(path, value); err != nil {
				return err
			}
		}
	case kindNumber:
		if !exact(string(raw)) {
			return conversation.Permanent("%s: holds a number that a double can't: write it as a string", path)
		}
	}
	return nil
}

// exact reports whether a whole number survives as a double; a fraction is rounded by every JSON
// reader alike.
func exact(number string) bool {
	value, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return false
	}
	if strings.ContainsAny(number, ".eE") || len(number) <= 15 {
		return true
	}
	whole, ok := new(big.Int).SetString(number, 10)
	if !ok {
		return false
	}
	_, accuracy := new(big.Float).SetInt(whole).Float64()
	return accuracy == big.Exact && value != 0
}

func wrongKind(path string, want kind, raw json.RawMessage) *conversation.BotError {
	return conversation.Permanent("%s: must be %s, not %s", place(path), want, kindOf(raw))
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func place(path string) string {
	if path == "" {
		return "answer"
	}
	return path
}
