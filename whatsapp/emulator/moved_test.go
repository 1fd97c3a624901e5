package emulator

import "testing"

func TestChangeOfNumberReachesTheOldIdentity(t *testing.T) {
	m := Message{ID: "wamid.c", User: "4915", UserID: "DE.1", SentMs: 1_700_000_000_000, Moved: &Moved{User: "4916", UserID: "DE.2"}}
	got := decode(t, number.Messages(m)).Messages
	if len(got) != 1 || got[0].Message.Type != "system" || got[0].User.Id != "4915" || got[0].User.WaId != "4916" || got[0].User.UserId != "DE.2" {
		t.Fatalf("decoded %v", got)
	}
}
