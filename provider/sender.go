package provider

import "context"

// Sender sends the replies of one channel. It may be used by any number of goroutines.
type Sender interface {
	// Send makes one attempt to send one reply. It repeats nothing by itself.
	Send(ctx context.Context, out *Outgoing) Result
	// MarkRead shows the user that a message was read, and that the bot writes, as Signs says. What
	// becomes of it does not matter.
	MarkRead(ctx context.Context, messageID string) error
	// Renew uses the secrets of other settings for the sends that begin from now on. An error means
	// that no request could be made with them: the former stay.
	Renew(settings Settings) error
	// Close ends what is under way beside sends, and returns when all is done.
	Close()
}

// Signs are what the user sees of the bot beside its replies.
type Signs struct {
	// MarkRead shows that a message was read, when the first reply to it is sent.
	MarkRead bool
	// Typing shows that the bot is writing.
	Typing bool
}
