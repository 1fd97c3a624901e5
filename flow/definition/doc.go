// Package definition is a flow as it was read: its steps, and what each key of a step does.
//
// Parse reads the YAML and reports every mistake at once. Each kind of key is one file, named after
// it, that reads and checks itself, runs, and names the ways out of it; the table of
// kinds is in step.go. Whether the steps hang together is asked by graph.go.
package definition
