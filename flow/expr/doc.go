// Package expr compiles and runs what a flow computes: expressions, texts with {{ expressions }},
// and values made of both.
//
// A Compiler checks at parse time that an expression names only what exists, and bounds its size
// and nesting. An Env runs it, over the names of one turn, within a budget of memory. Functions
// that would differ between two runs or two machines (a clock, a zone, the order of a map) are
// replaced or not there.
//
// A failure names its place in the flow, and never quotes what a user wrote.
package expr
