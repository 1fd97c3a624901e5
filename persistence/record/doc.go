// Package record says where each record of a store lies: the kinds of records, their keys, and the
// suffixes that tell records of one kind apart. It is the only place where the bytes of a key are
// put together or taken apart; persistence/DESIGN.md has the table of them.
//
// Stored keys never change. A new kind of record gets a number of its own, and a format of entries
// that older nodes do not apply (persistence/store.EntryFormat).
//
// Read keys.go first (the layout), then suffix.go and head.go.
package record
