package emulator

import "testing"

func TestChangeOfNumberReachesTheOldIdentity(t *testing.T) {
	m := Message{ID: "wamid.c", User: "4915", UserID: "DE.1", SentMs: 1_700_000_000_000, Moved: &Moved{User: "4916",
		UserID: "DE.2"}}
	got := decode(t, number.Messages(m)).Identities
	if len(got) != 1 || got[0].Message.Type != "system" || got[0].User.Id != "4915" || got[0].User.WaId != "4916" ||
		got[0].User.UserId != "DE.2" {
		t.Fatalf("decoded %v", got)
	}
}

func TestNewBSUIDReachesTheOldOne(t *testing.T) {
	report := Message{ID: "wamid.c", User: "4915", UserID: "DE.1", SentMs: 1_700_000_000_000,
		Moved: &Moved{UserID: "DE.2"}}
	for name, body := range map[string][]byte{
		"message": number.Messages(report), "update": number.Renamed("", "DE.1", "DE.2", 1_700_000_000_000),
	} {
		got := decode(t, body).Identities
		if len(got) != 1 || got[0].Message.Type != "system" || got[0].User.WaId != "" || got[0].User.UserId != "DE.2" ||
			got[0].Message.SentMs != 1_700_000_000_000 {
			t.Errorf("%s: decoded %v", name, got)
		} else if id := got[0].User.Id; id != "4915" && id != "DE.1" {
			t.Errorf("%s: reaches %s", name, id)
		}
	}
	if got := decode(t, number.Renamed("4916", "DE.1", "DE.2", 1)).Identities; len(got) != 1 ||
		got[0].User.WaId != "4916" {
		t.Errorf("with a phone: decoded %v", got)
	}
}
