// Package message holds what a flow can say: texts, buttons, lists, calls to action, files,
// locations. Each kind is one file that reads it, checks it, and posts it; the table of kinds is in
// say.go.
package message
