package lint

import (
	"maps"
	"slices"
	"strings"
)

// excused are impure imports of the modules that L0 imports, with the reason why L0 stays pure.
var excused = map[string]string{
	"github.com/cespare/xxhash/v2 unsafe":                       "reads the bytes of a string without a copy",
	"github.com/expr-lang/expr/compiler runtime/debug":          "adds the stack to a panic of its own",
	"github.com/goccy/go-yaml os":                               "reads files of references, which no caller names",
	"github.com/goccy/go-yaml/parser os":                        "ParseFile, which no caller uses",
	"google.golang.org/protobuf/internal/detrand os":            "hashes the program, for the spaces in its texts",
	"google.golang.org/protobuf/internal/impl os":               "prints warnings of conflicting names",
	"google.golang.org/protobuf/internal/impl unsafe":           "reaches the fields of messages",
	"google.golang.org/protobuf/internal/protolazy unsafe":      "reaches the fields of messages",
	"google.golang.org/protobuf/internal/strs unsafe":           "turns bytes into a string without a copy",
	"google.golang.org/protobuf/reflect/protoreflect unsafe":    "turns bytes into a string without a copy",
	"google.golang.org/protobuf/reflect/protoregistry os":       "reads how to treat conflicting names",
	"google.golang.org/protobuf/types/descriptorpb unsafe":      "holds a descriptor without a copy",
	"google.golang.org/protobuf/types/known/durationpb unsafe":  "holds a descriptor without a copy",
	"google.golang.org/protobuf/types/known/structpb unsafe":    "holds a descriptor without a copy",
	"google.golang.org/protobuf/types/known/timestamppb unsafe": "holds a descriptor without a copy",
}

// CheckReach finds impurity behind the imports of L0, however far away: what is reached is L0
// itself, the standard library, or a module of pureModules. Those import nothing impure, except
// what has an excuse.
func CheckReach(toolchain *Toolchain) []Finding {
	var found []Finding
	used := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(toolchain.listed)) {
		p := toolchain.listed[name]
		if p.Standard {
			continue
		}
		inside, ours := strings.CutPrefix(name, Module+"/")
		switch layer, known := layerOf(inside); {
		case ours && (!known || layer != Pure):
			found = append(found, Finding{Place: inside, Message: "is reached from L0, and is not of it",
				Remedy: pureRemedy})
		case ours: // CheckPurity reads it
		case !mayImport(name):
			found = append(found, Finding{Place: name,
				Message: "is reached from L0, and is in no module of pureModules",
				Remedy:  "read what it does, and add its module; or do without"})
		default:
			for _, imported := range p.Imports {
				if mayImport(imported) {
					continue
				}
				if used[name+" "+imported] = true; excused[name+" "+imported] == "" {
					found = append(found, Finding{Place: name, Message: "is reached from L0, and imports " + imported,
						Remedy: "read what for, and say in internal/lint/reach.go why L0 stays pure; or do without"})
				}
			}
		}
	}
	for _, excuse := range slices.Sorted(maps.Keys(excused)) {
		if !used[excuse] {
			found = append(found, Finding{Place: "internal/lint/reach.go", Message: excuse + " needs no excuse",
				Remedy: "remove it"})
		}
	}
	return found
}
