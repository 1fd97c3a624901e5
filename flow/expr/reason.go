package expr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/file"
)

// safeReason says why an expression failed, as far as that can be said without a value: the
// machine's messages may quote what the user wrote.
func safeReason(err error) string {
	var located *file.Error
	message := ""
	switch {
	case errors.As(err, &located):
		message = located.Message
	case errors.Is(err, errWork), errors.Is(err, errTime): // before the expression began
		message = err.Error()
	default:
		return "unknown reason"
	}
	for _, known := range []struct{ prefix, reason string }{
		{"memory budget exceeded", "it builds too much"},
		{errMade.Error(), "it builds too much"},
		{errWork.Error(), "it takes too many steps"},
		{errTime.Error(), "it takes too long"},
		{"integer divide by zero", "division by zero"},
		{"index out of range", "an index is out of range"},
		{"invalid operation: bool(", "it says neither true nor false"},
		{"cannot fetch", "a part of nothing, or of something that has no parts"},
	} {
		if strings.HasPrefix(message, known.prefix) || strings.HasPrefix(message, "runtime error: "+known.prefix) {
			return known.reason
		}
	}
	if operands, ok := strings.CutPrefix(message, "invalid operation: "); ok {
		return operandTypes(operands)
	}
	return "a value of the wrong kind"
}

// typeNames are the types that the machine names in "invalid operation: int + string", as an author
// knows them.
var typeNames = map[string]string{
	"int": "int", "float64": "float", "string": "string", "bool": "bool", "<nil>": "nil", "[]any": "list",
	"map[string]any": "map", "time.Time": "time", "time.Duration": "duration",
}

// operandTypes returns the operands of an operation that does not exist, if all it names are types.
func operandTypes(operands string) string {
	parts := strings.Fields(strings.ReplaceAll(operands, "interface {}", "any"))
	if len(parts) != 3 || typeNames[parts[0]] == "" || typeNames[parts[2]] == "" || len(parts[1]) > 2 {
		return "a value of the wrong kind"
	}
	return fmt.Sprintf("%s %s %s is not possible", typeNames[parts[0]], parts[1], typeNames[parts[2]])
}
