package bot

import (
	"context"
	"errors"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
	"github.com/wactor/wactor/provider"
)

// FileStore is where the files of replies go before their turn is committed.
type FileStore interface {
	// Place stores the files that replies bring along, and puts their ids in the place of them. An
	// error that wraps provider.ErrFileRejected is final.
	Place(ctx context.Context, replies []*wactorv1.Reply) error
	// PlaceKnown does so where it need not wait for anything; false where it has to, and then
	// replies are as they were.
	PlaceKnown(replies []*wactorv1.Reply) bool
}

// Placed returns a bot whose replies name their files by id: what an answer brings along is stored
// first. The answer's replies are changed. Where that fails the turn fails, and is tried again
// unless the provider will never take the file.
//
// The returned bot is an Inliner where b is one; a turn whose files are not stored yet is left to
// Turn.
func Placed(b Bot, files FileStore) Bot {
	p := placed{bot: b, files: files}
	if inliner, ok := b.(Inliner); ok {
		return placedInliner{placed: p, inliner: inliner}
	}
	return p
}

type placed struct {
	bot   Bot
	files FileStore
}

func (p placed) Turn(ctx context.Context, turn *conversation.Turn) (*conversation.Answer, error) {
	answer, err := p.bot.Turn(ctx, turn)
	if err != nil {
		return nil, err
	}
	switch err := p.files.Place(ctx, answer.Replies); {
	case errors.Is(err, provider.ErrFileRejected):
		return nil, conversation.Permanent("%v", err)
	case err != nil:
		return nil, conversation.Temporary("%v", err)
	}
	return answer, nil
}

type placedInliner struct {
	placed
	inliner Inliner
}

func (p placedInliner) Inline(turn *conversation.Turn) (*conversation.Answer, bool, error) {
	answer, ok, err := p.inliner.Inline(turn)
	if err != nil || !ok {
		return nil, ok, err
	}
	if !p.files.PlaceKnown(answer.Replies) {
		return nil, false, nil
	}
	return answer, true, nil
}
