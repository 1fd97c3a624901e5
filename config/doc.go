// Package config reads the one file that configures a node.
//
// The file is YAML, decoded strictly: an unknown key, a wrong type, a value out of bounds and a
// missing environment variable are problems, each with its line, and all of them are reported at
// once. Values may hold ${ENV} and ${file:path}. Secrets have a type of their own that no log, no
// %v and no JSON shows.
//
// Each key is documented with its unit, default and bounds at its field here, and in
// docs/configuration.md; docs/wactor.schema.json is the same for editors. Tests hold the two
// against the fields. Defaults are in defaults.go, and what makes a configuration valid in
// validate.go, for a configuration that was read from a file and for one that a program built from
// Default.
//
// Read config.go first, then load.go.
package config
