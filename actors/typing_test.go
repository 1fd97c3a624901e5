package actors

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wactor/wactor/conversation"
)

// typingPhone notes when "typing..." was shown, in seconds since it was made.
type typingPhone struct {
	phone
	began time.Time
	shown []float64
}

func (p *typingPhone) MarkRead(_ context.Context, messageID string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = append(p.shown, time.Since(p.began).Seconds())
	return nil
}

// TestTypingIsShownWhileTheBotThinks: not for a bot that answers at once, again before the provider
// takes the sign down, and not any more once the bot has answered.
func TestTypingIsShownWhileTheBotThinks(t *testing.T) {
	for name, c := range map[string]struct {
		thinks time.Duration
		off    bool
		want   []float64
	}{
		"at once": {thinks: 100 * time.Millisecond},
		"long":    {thinks: 50 * time.Second, want: []float64{0.3, 20.3, 40.3}},
		"off":     {thinks: 50 * time.Second, off: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newMemoryStore()
				defer store.close()
				p := &typingPhone{began: time.Now()}
				bot := script(func(context.Context, *conversation.Turn) (*conversation.Answer, error) {
					time.Sleep(c.thinks)
					return say("done"), nil
				})
				b := start(t, store, bot, func(o *Options) {
					o.Channels["shop"].Sender, o.Channels["shop"].Typing = p, !c.off
				})
				b.deliver("1", "m1", "hi").want(t, conversation.Accepted, nil)
				time.Sleep(3 * time.Minute)
				synctest.Wait()
				if got := p.texts("1"); !slices.Equal(got, []string{"done"}) || !slices.Equal(p.shown, c.want) {
					t.Errorf("replies %q, typing shown at %v, want %v", got, p.shown, c.want)
				}
				b.stop()
			})
		})
	}
}
