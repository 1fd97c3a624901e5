package examples

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/wactor/wactor/conversation"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// fileTurn returns a turn over one file, whose link is served with a content.
func fileTurn(t *testing.T, kind, mimeType, content string) *conversation.Turn {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mimeType)
		_, _ = w.Write([]byte(content))
	}))
	t.Cleanup(server.Close)
	turn := turnOf("file", "", "")
	turn.Messages[0].Type = kind
	turn.Messages[0].Media = &wactorv1.Media{Type: kind, Id: "1", Url: server.URL}
	return turn
}

func TestPhotosAreStored(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("PHOTOS", folder)
	b := connect(t, start(t, "node", "photo-bot/bot.mjs"), secret)
	for range 2 { // as a repeated turn
		answer, err := b.Turn(t.Context(), fileTurn(t, "image", "image/jpeg", "a photo"))
		if err != nil || len(answer.Replies) != 2 {
			t.Fatalf("%v, %v", answer, err)
		}
		m := answer.Replies[1].GetMedia()
		if string(m.GetData()) != "a photo" || m.GetMimeType() != "image/jpeg" {
			t.Errorf("sent back: %v", m)
		}
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	if got, err := os.ReadFile(filepath.Join(folder, files[0].Name())); !bytes.Equal(got, []byte("a photo")) {
		t.Errorf("%q, %v", got, err)
	}
	if answer, err := b.Turn(t.Context(), turnOf("text", "", "hi")); err != nil || len(answer.Replies) != 1 {
		t.Errorf("%v, %v", answer, err)
	}
}

func TestVoiceNotesAreTranscribed(t *testing.T) {
	b := connect(t, start(t, "python3", "voice-bot/bot.py"), secret)
	answer, err := b.Turn(t.Context(), fileTurn(t, "audio", "audio/ogg", "a note"))
	if err != nil {
		t.Fatal(err)
	}
	if _, replies := texts(answer); len(replies) != 1 || replies[0] != "You said: 6 bytes of audio/ogg" {
		t.Errorf("%q", replies)
	}
}
