// Package policy says how the conversations of a bot behave: what happens to bursts, late messages,
// repeated taps, failing turns, silent users and replies of unknown fate.
//
// The configuration decodes into these types and package conversation acts by them: a policy has
// one type, and its words stand in one table. A word is written as text (MarshalText,
// UnmarshalText).
//
// To add a burst policy, add a row to the table in burst.go. To add any other word, add a constant
// and its text to the list beside it.
package policy
