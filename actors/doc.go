// Package actors runs conversations: one actor for each that is active.
//
// The actor is a thin shell around conversation.Conversation. It loads the records, feeds events,
// and performs the effects: it proposes commits, calls the bot, sends replies and sets the alarm.
// None of that blocks its mailbox; results come back as messages. All decisions about a
// conversation are the machine's.
//
// An activation belongs to one term of its shard's leadership. It ends when the term does, when a
// commit fails or its fate is unknown, when a panic shows that its memory can't be trusted, or when
// it was idle for a while; the next message loads the conversation anew from what was committed.
//
// The actor library is used through protoactor.go alone, which builds the remedies for its known
// traps in:
//
//   - ReenterAfter is not used: it gives up order at the first await. The machine is the queue, and
//     knows what is under way.
//   - ReceiveTimeout and Future have data races: alarms are own timers that send a message,
//     requests carry a callback.
//   - A poison pill would lose what is queued behind it: an activation leaves the table first,
//     under the table's lock, and hands what is still in its mailbox back to the router before it
//     stops.
//   - A panic would restart the actor with empty state: it is recovered here and ends the
//     activation.
//   - A bounded mailbox would block senders: the mailbox is unbounded, its depth is counted, and
//     past a limit deliveries are refused.
//   - Dead letters would be logged with their content: the library's logger passes warnings only,
//     without attributes.
//
// Read runtime.go first, then activation.go.
package actors
