// Package backup writes all conversations of a cluster to a place outside it, checks what lies
// there, and makes a cluster of it again.
//
// A backup is a folder: an object for each shard, and manifest.json, which is written last. What
// has no manifest is no backup. An object is a stream of records, compressed by zstd and encrypted
// by age; the manifest holds its SHA-256, and the object itself names the backup and the shard that
// it belongs to, so that objects can't be mistaken for each other.
//
// It is of one moment. While a view of each shard is taken, conversations take nothing from each
// other (conversation's tests show what is wrong otherwise); webhooks, turns and sends go on. See
// cut.go for the argument.
//
// Read manifest.go first (what a backup is), object.go (its form), cut.go and create.go (how it is
// made), verify.go and restore.go (what is done with it). target.go is where backups lie.
package backup
