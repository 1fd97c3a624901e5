package conversation

import (
	"fmt"
	"testing"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// TestRepliesGoToWhoTheUserIsNow: each line is what one webhook tells, with its time in seconds,
// and the phone and the BSUID that replies go to from then on; the phone wins where both are known.
func TestRepliesGoToWhoTheUserIsNow(t *testing.T) {
	type one struct {
		seconds         int64
		waID, userID    string
		phone, business string
	}
	for name, webhooks := range map[string][]one{
		"the phone is withheld and comes back": {
			{10, "4915", "US.a", "4915", "US.a"}, {20, "", "US.a", "4915", "US.a"}, {30, "4915", "US.a", "4915",
				"US.a"},
		},
		"the BSUID alone, then the phone": {{10, "", "US.a", "", "US.a"}, {20, "4915", "US.a", "4915", "US.a"}},
		"another number":                  {{10, "4915", "US.a", "4915", "US.a"}, {20, "4916", "US.b", "4916", "US.b"}},
		"another number, which is withheld": {
			{10, "4915", "US.a", "4915", "US.a"}, {20, "", "US.b", "", "US.b"}, {30, "", "US.b", "", "US.b"},
			{40, "4916", "US.b", "4916", "US.b"},
		},
		"an old webhook comes late": {
			{10, "4915", "US.a", "4915", "US.a"}, {20, "", "US.b", "", "US.b"}, {15, "4915", "US.a", "", "US.b"},
			{16, "4915", "", "", "US.b"},
		},
		"an old webhook fills what is not known": {{20, "", "US.a", "", "US.a"}, {15, "4915", "US.a", "4915", "US.a"}},
		"two of one second": {{10, "4915", "US.a", "4915", "US.a"}, {10, "4916", "US.b", "4916",
			"US.b"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(plainConfig(false))
			w.nowMs += 100_000
			for i, one := range webhooks {
				message := &wactorv1.Message{Id: fmt.Sprint("m", i), Type: "text",
					SentMs: historyStartMs + one.seconds*1000}
				w.deliverAs(message.Id, message, &wactorv1.User{WaId: one.waID, UserId: one.userID})
				if user := w.c.identities.user; user.GetWaId() != one.phone || user.GetUserId() != one.business {
					t.Errorf("webhook %d: replies go to %q, %q; want %q, %q", i+1, user.GetWaId(), user.GetUserId(),
						one.phone, one.business)
				}
			}
		})
	}
}

// TestNamesAreKeptUntilAnotherComes: webhooks leave names out at times, and an old one changes
// none.
func TestNamesAreKeptUntilAnotherComes(t *testing.T) {
	w := newWorld(plainConfig(false))
	w.nowMs += 100_000
	for i, webhook := range []struct {
		seconds                  int64
		name, username           string
		wantName, wantedUsername string
	}{
		{10, "Ana", "ana", "Ana", "ana"},
		{20, "", "", "Ana", "ana"},
		{30, "Ana B", "anab", "Ana B", "anab"},
		{15, "Ana", "ana", "Ana B", "anab"},
	} {
		message := &wactorv1.Message{Id: fmt.Sprint("m", i), Type: "text",
			SentMs: historyStartMs + webhook.seconds*1000}
		w.deliverAs(message.Id, message, &wactorv1.User{WaId: "4915", Name: webhook.name, Username: webhook.username})
		user := w.c.identities.user
		if user.GetName() != webhook.wantName || user.GetUsername() != webhook.wantedUsername {
			t.Errorf("webhook %d: the user is called %q, %q", i+1, user.GetName(), user.GetUsername())
		}
	}
}
