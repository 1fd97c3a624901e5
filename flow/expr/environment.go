package expr

import (
	"time"

	"github.com/wactor/wactor/flow/value"
	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

// What expressions see of a user and of a message. Parts that a message does not have are there all
// the same, empty, so that message.choice.id needs no question before it.

// UserValue is what expressions see as user.
func UserValue(u *wactorv1.User) map[string]any {
	return map[string]any{"id": u.GetId(), "wa_id": u.GetWaId(), "user_id": u.GetUserId(), "name": u.GetName(),
		"username": u.GetUsername()}
}

var (
	noChoice   = choiceValue(nil)
	noMedia    = MediaValue("", nil)
	noLocation = LocationValue(nil)
)

// MessageValue is what expressions see as message; raw, which is decoded, only where it is asked
// for.
func MessageValue(m *wactorv1.Message, raw bool) map[string]any {
	out := map[string]any{
		"id": m.GetId(), "type": m.GetType(), "text": m.GetText(), "context_id": m.GetContextId(),
		"sent": time.UnixMilli(m.GetSentMs()).UTC(), "late": m.GetLate(), "raw": nil,
		"choice": noChoice, "media": noMedia, "location": noLocation,
	}
	if m.GetChoice() != nil {
		out["choice"] = choiceValue(m.Choice)
	}
	if m.GetMedia() != nil {
		out["media"] = MediaValue(m.GetType(), m.Media)
	}
	if m.GetLocation() != nil {
		out["location"] = LocationValue(m.Location)
	}
	if raw {
		// What cannot be read is nil: the provider's JSON is no promise of this product.
		out["raw"], _ = value.Decode(m.GetRaw())
	}
	return out
}

func choiceValue(c *wactorv1.Choice) map[string]any {
	return map[string]any{"id": c.GetId(), "title": c.GetTitle(), "description": c.GetDescription()}
}

// MediaValue is what expressions see of a file; kind is the type of its message.
func MediaValue(kind string, m *wactorv1.Media) map[string]any {
	return map[string]any{
		"type": kind, "id": m.GetId(), "mime_type": m.GetMimeType(), "sha256": m.GetSha256(),
		"filename": m.GetFilename(), "caption": m.GetCaption(), "voice": m.GetVoice(), "url": m.GetUrl(),
	}
}

// LocationValue is what expressions see of a location.
func LocationValue(l *wactorv1.Location) map[string]any {
	return map[string]any{
		"latitude": l.GetLatitude(), "longitude": l.GetLongitude(), "name": l.GetName(), "address": l.GetAddress(),
	}
}
