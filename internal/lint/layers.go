package lint

import (
	"fmt"
	"strings"
)

// Layer is a floor of the house. A package imports only from floors below its own.
type Layer int

// The layers, from the ground up.
const (
	// Pure decides: no I/O, clock, goroutine or randomness. L0.
	Pure Layer = iota
	// Runtime performs what was decided, one concern each. L1.
	Runtime
	// Edge faces the world. L2.
	Edge
	// Wiring builds everything from a configuration. L3.
	Wiring
	// Program is what is run, and what no package imports. L4.
	Program
)

// String returns the layer's name in the documents, such as L0.
func (l Layer) String() string { return fmt.Sprintf("L%d", int(l)) }

// layers says where each package lives, by its path in the module.
var layers = map[string]Layer{
	"persistence/record":  Pure,
	"proto/wactor/v1":     Pure,
	"conversation":        Pure,
	"conversation/audit":  Pure,
	"conversation/policy": Pure,
	"flow":                Pure,
	"flow/definition":     Pure,
	"flow/expr":           Pure,
	"flow/fit":            Pure,
	"flow/message":        Pure,
	"flow/run":            Pure,
	"flow/source":         Pure,
	"flow/value":          Pure,
	"flow/zone":           Pure,
	"provider":            Pure,
	"provider/cloudapi":   Pure,
	"cluster/placement":   Pure,
	"internal/planted":    Pure,
	"internal/problem":    Pure,
	"internal/pseudonym":  Pure,
	"internal/nearest":    Pure,
	"internal/secret":     Pure,

	"proto/wactor/v1/wactorv1connect": Runtime, // generated, but it speaks HTTP
	"proto/wactor/cluster/v1":         Runtime, // generated, but it speaks gRPC
	"delivery":                        Runtime, // pure itself, but it knows the form between nodes
	"actors":                          Runtime,
	"persistence/store":               Runtime,
	"persistence/replication":         Runtime,
	"persistence/engine":              Runtime,
	"cluster":                         Runtime,
	"cluster/control":                 Runtime,
	"cluster/gossip":                  Runtime,
	"cluster/peer":                    Runtime,
	"cluster/routing":                 Runtime,
	"cluster/trust":                   Runtime,
	"backup":                          Runtime,
	"bot":                             Runtime,
	"config":                          Runtime,
	"flow/transcript":                 Runtime,
	"media":                           Runtime,
	"provider/cloudapi/emulator":      Runtime,
	"provider/pace":                   Runtime,
	"provider/providertest":           Runtime, // for tests
	"internal/clock":                  Runtime,
	"internal/freeport":               Runtime, // for tests
	"internal/fresh":                  Runtime,
	"internal/http1":                  Runtime,
	"internal/servertls":              Edge,
	"internal/pause":                  Runtime,
	"internal/ratelog":                Runtime,

	"backup/command":          Edge,
	"gateway":                 Edge,
	"provider/cloudapi/graph": Edge,
	"phone":                   Edge,
	"simulate":                Edge,
	"admin":                   Edge,

	"node": Wiring,

	"cmd/wactor":    Program,
	"internal/lint": Program,
	"internal/sim":  Program,
	"system_test":   Program,
}

// vocabulary is what siblings may share: the generated types of messages, of what lies on disk, and
// of what nodes send each other; what travels to a conversation; what providers report; the names
// of the mistakes that are planted for the simulation; and the small homes of what several packages
// need alike.
var vocabulary = map[string]bool{
	"proto/wactor/v1": true, "proto/wactor/cluster/v1": true, "internal/planted": true,
	"delivery": true, "persistence/record": true, "provider": true,
	"internal/problem": true, "internal/pseudonym": true,
	"internal/nearest": true, "internal/secret": true, "internal/pause": true, "internal/ratelog": true,
	"internal/fresh": true,
}

// sameHouse reports whether a package is a room of another one, such as flow/value of flow, or both
// are rooms of one. Rooms know each other as far as Go allows it, which is without circles.
func sameHouse(path, imported string) bool {
	house, _, room := strings.Cut(imported, "/")
	return room && (path == house || strings.HasPrefix(path, house+"/")) && house != "internal"
}

// layerOf returns a package's layer; false where it has none.
func layerOf(path string) (Layer, bool) {
	if layer, ok := layers[path]; ok {
		return layer, true
	}
	return Program, strings.HasPrefix(path, "examples/")
}

// CheckLayers finds imports that do not point down, and packages without a layer.
func CheckLayers(packages []*Package) []Finding {
	var found []Finding
	for _, p := range packages {
		if !p.hasCode() {
			continue
		}
		layer, known := layerOf(p.Path)
		if !known {
			found = append(found, Finding{
				Place:   p.Path,
				Message: "package has no layer",
				Remedy:  "give it a layer in internal/lint/layers.go and in the table of CONTRIBUTING.md",
			})
			continue
		}
		for _, imported := range p.imports() {
			if why := forbidden(p.Path, layer, imported.path); why != "" {
				found = append(found, Finding{Place: imported.place, Message: p.Path + " imports " + imported.path +
					": " + why, Remedy: "declare an interface " +
					"where it is needed, and let a higher layer pass the implementation in"})
			}
		}
	}
	return found
}

// forbidden says why a package of a layer may not import another one of the module; empty where it
// may.
func forbidden(path string, importer Layer, imported string) string {
	layer, known := layerOf(imported)
	switch {
	case !known: // a finding of its own
	case layer > importer:
		return fmt.Sprintf("%s does not know %s", importer, layer)
	case layer == importer && !vocabulary[imported] && !sameHouse(path, imported):
		return fmt.Sprintf("both are %s, and siblings do not know each other", importer)
	}
	return ""
}
