package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

func TestFilesHaveLinks(t *testing.T) {
	var got *conversation.Turn
	b := Linked(Func(func(_ context.Context, turn *conversation.Turn) (*conversation.Answer, error) {
		got = turn
		return nil, nil
	}), func(m *wactorv1.Media, now time.Time) string { return fmt.Sprintf("http://h/%s/%d", m.Id, now.Unix()) })
	photo := &wactorv1.Message{Id: "m2", Type: "image", Media: &wactorv1.Media{Type: "image", Id: "77"}}
	text := &wactorv1.Message{Id: "m1", Type: "text"}
	turn := &conversation.Turn{Messages: []*wactorv1.Message{text, photo}, Now: time.Unix(5, 0)}
	if _, err := b.Turn(t.Context(), turn); err != nil {
		t.Fatal(err)
	}
	if link := got.Messages[1].Media.Url; link != "http://h/77/5" || got.Messages[0] != text {
		t.Errorf("link %q", link)
	}
	if photo.Media.Url != "" || turn.Messages[1] != photo {
		t.Error("the turn itself was changed")
	}
	encoded, err := encodeMessage(got.Messages[1])
	var media map[string]any
	if err != nil || json.Unmarshal(encoded.Media, &media) != nil || media["url"] != "http://h/77/5" {
		t.Errorf("%s, %v", encoded.Media, err)
	}
	if _, sent := media["data"]; sent {
		t.Error("a bot is shown fields of replies")
	}
	plain := &conversation.Turn{Events: []*wactorv1.Message{text}}
	if _, err := b.Turn(t.Context(), plain); err != nil || got != plain {
		t.Error("a turn without files was copied", err)
	}
	plain.Events = append(plain.Events, photo)
	if _, err := b.Turn(t.Context(), plain); err != nil || got.Events[1].Media.Url == "" {
		t.Error("a file of an event has no link", err)
	}
	held := &conversation.Turn{History: []*wactorv1.Message{photo}}
	if _, err := b.Turn(t.Context(), held); err != nil || got.History[0].Media.Url == "" {
		t.Error("a file that came while a person answered has no link", err)
	}
	if _, inline := b.(Inliner); inline {
		t.Error("a function answers inline")
	}
}
