package delivery

import "errors"

var (
	// ErrUnknownChannel: no channel of that name is configured on the node that leads the shard.
	ErrUnknownChannel = errors.New("delivery: unknown channel")
	// ErrNotLeader: the node is not the leader of the shard, or was not reached. Nothing
	// was kept.
	ErrNotLeader = errors.New("delivery: this node is not the leader of the shard")
	// ErrOutOfTurn: the message names one before it that was not taken. Nothing was kept.
	ErrOutOfTurn = errors.New("delivery: the message before it was not taken")
	// ErrOverloaded: a limit is reached. Nothing was kept.
	ErrOverloaded = errors.New("delivery: overloaded")
	// ErrStopping: the node is shutting down. Nothing was kept.
	ErrStopping = errors.New("delivery: the node is stopping")
	// ErrUnknownFate: the attempt ended before its outcome was known. The delivery may or may not
	// have been kept; sent again, it is recognised.
	ErrUnknownFate = errors.New("delivery: the fate is unknown")
	// ErrNoDeadLetter: the conversation has no dead letter of that number, or not any more.
	ErrNoDeadLetter = errors.New("delivery: no such dead letter")
	// ErrOwned: another principal owns the conversation.
	ErrOwned = errors.New("delivery: another person owns the conversation: take it with take")
	// ErrNotOwned: the bot owns the conversation.
	ErrNotOwned = errors.New("delivery: the bot owns the conversation already")
	// ErrKeyInFlight: what was posted under this key is on its way to the disk.
	ErrKeyInFlight = errors.New("delivery: what was posted under this key is on its way: ask again")
	// ErrKeyReused: something else was posted under this key.
	ErrKeyReused = errors.New("delivery: something else was posted under this key: take another one")
	// ErrWindowClosed: the provider would not take this message.
	ErrWindowClosed = errors.New("delivery: the customer service window is closed: only templates are taken until " +
		"the user writes")
	// ErrUnretryable: the dead letter holds nothing that could be tried again: it is a piece of a
	// webhook that could not be read, or a reply whose words are not kept.
	ErrUnretryable = errors.New("delivery: this dead letter can't be tried again: skip it, or give a text where it " +
		"is of a reply")
)

// errRemote is the failure of another node, which has logged the reason.
var errRemote = errors.New("delivery: it failed on the node that leads the conversation")
