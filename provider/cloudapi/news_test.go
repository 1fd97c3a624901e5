package cloudapi

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wactor/wactor/provider"
)

// TestNewsOfTheAccountAreLoud: what stops or endangers sending is never silent, and says what to
// do.
func TestNewsOfTheAccountAreLoud(t *testing.T) {
	for name, c := range map[string]struct {
		field, value string
		level        provider.Level
		words        string
		code         int
	}{
		"banned":            {"account_update", `{"phone_number":"1","event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"DISABLE","waba_ban_date":"d"}}`, provider.Alarm, "DISABLED_UPDATE, DISABLE", 0},
		"to be banned":      {"account_update", `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"SCHEDULE_FOR_DISABLE"}}`, provider.Alarm, "SCHEDULE_FOR_DISABLE", 0},
		"reinstated":        {"account_update", `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"REINSTATE"}}`, provider.Note, "REINSTATE", 0},
		"violation":         {"account_update", `{"event":"ACCOUNT_VIOLATION","violation_info":{"violation_type":"SCAM"}}`, provider.Warning, "ACCOUNT_VIOLATION, SCAM", 0},
		"restriction":       {"account_update", `{"event":"ACCOUNT_RESTRICTION","restriction_info":[{"restriction_type":"RESTRICTED_ADD_PHONE_NUMBER_ACTION","expiration":1}]}`, provider.Alarm, "RESTRICTED_ADD_PHONE_NUMBER_ACTION", 0},
		"deleted":           {"account_update", `{"event":"ACCOUNT_DELETED"}`, provider.Alarm, "ACCOUNT_DELETED", 0},
		"template paused":   {"message_template_status_update", `{"event":"PAUSED","message_template_name":"note","reason":"LOW_QUALITY"}`, provider.Warning, "PAUSED, LOW_QUALITY", 0},
		"template rejected": {"message_template_status_update", `{"event":"REJECTED","reason":"INVALID_FORMAT"}`, provider.Warning, "REJECTED, INVALID_FORMAT", 0},
		"template approved": {"message_template_status_update", `{"event":"APPROVED","reason":"NONE"}`, provider.Note, "APPROVED", 0},
		"template red":      {"message_template_quality_update", `{"previous_quality_score":"GREEN","new_quality_score":"RED"}`, provider.Warning, "RED", 0},
		"template moved":    {"template_category_update", `{"previous_category":"UTILITY","new_category":"MARKETING"}`, provider.Warning, "MARKETING", 0},
		"number flagged":    {"phone_number_quality_update", `{"display_phone_number":"1555","event":"FLAGGED","current_limit":"TIER_1K"}`, provider.Warning, "FLAGGED, TIER_1K", 0},
		"throughput":        {"phone_number_quality_update", `{"event":"THROUGHPUT_UPGRADE","current_limit":"TIER_UNLIMITED"}`, provider.Warning, "THROUGHPUT_UPGRADE", 0},
		"name rejected":     {"phone_number_name_update", `{"decision":"REJECTED","requested_verified_name":"Ana's shop","rejection_reason":"NAME_EMPLOYEE"}`, provider.Warning, "REJECTED, NAME_EMPLOYEE", 0},
		"critical alert":    {"account_alerts", `{"alerts":{"alert_severity":"CRITICAL","alert_status":"ACTIVE","alert_type":"OBA_REJECTED"}}`, provider.Alarm, "OBA_REJECTED", 0},
		"PIN changed":       {"security", `{"event":"PIN_CHANGED","requester":"1"}`, provider.Warning, "PIN_CHANGED", 0},
		"locked":            {"messages", `{"metadata":{"phone_number_id":"900"},"errors":[{"code":131031,"title":"locked"}]}`, provider.Alarm, "locked", 131031},
		"an error":          {"messages", `{"metadata":{"phone_number_id":"900"},"errors":[{"code":131000,"title":"went wrong"}]}`, provider.Warning, "went wrong", 131000},
		"an unknown event":  {"account_update", `{"event":"Ana says hi"}`, provider.Note, "it does not say how", 0},
		"of another type":   {"account_update", `[1,"x"]`, provider.Note, "it does not say how", 0},
	} {
		t.Run(name, func(t *testing.T) {
			batch := mustDecode(t, envelope(`{"field":"`+c.field+`","value":`+c.value+`}`))
			if len(batch.Changes) != 1 || len(batch.Unread) > 0 {
				t.Fatalf("%+v", batch)
			}
			got := batch.Changes[0]
			if got.Level != c.level || !strings.Contains(got.News, c.words) || got.Code != c.code {
				t.Errorf("%+v", got)
			}
			if got.Level >= provider.Warning && got.Remedy == "" {
				t.Error("no remedy")
			}
			if strings.Contains(got.News+got.Remedy, "Ana") || strings.Contains(got.News, "1555") {
				t.Errorf("it quotes a person: %q", got.News)
			}
		})
	}
}

// TestFieldsWithoutNewsAreCounted: what Meta documents has no line, what it does not has one.
func TestFieldsWithoutNewsAreCounted(t *testing.T) {
	fields := map[string]provider.Level{"calls": provider.Quiet, "user_preferences": provider.Quiet,
		"standby": provider.Quiet,
		"history": provider.Quiet, "brand_new": provider.Note}
	for field, level := range fields {
		batch := mustDecode(t, envelope(`{"field":"`+field+`","value":{"x":1}}`))
		if len(batch.Changes) != 1 || batch.Changes[0].Level != level {
			t.Errorf("%s: %+v", field, batch.Changes)
		}
	}
	payment := mustDecode(t, envelope(valueOf(`"statuses":[{"id":"w","type":"payment","status":"captured"},{"id":"v","status":"read"}]`)))
	want := &provider.Batch{Statuses: []provider.Status{{Number: "900", MessageID: "v", Status: "read"}},
		Changes: []provider.Change{{Number: "900", Field: "payment"}}}
	if diff := cmp.Diff(want, payment); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSamplesOfTheConsoleAreKnown: its Test button has entries of the id 0, or a made-up number.
func TestSamplesOfTheConsoleAreKnown(t *testing.T) {
	const value = `"value":{"metadata":{"phone_number_id":"%"},"messages":[{"id":"w","from":"1","type":"text","text":{"body":"t"}}]}`
	of := func(entry, number string) *provider.Batch {
		return mustDecode(t, []byte(`{"object":"whatsapp_business_account","entry":[{"id":"`+entry+`","changes":[{"field":"messages",`+
			strings.Replace(value, "%", number, 1)+`}]}]}`))
	}
	for _, c := range []struct {
		entry, number string
		want          bool
	}{{"0", "123456123", true}, {"0", "900", true}, {"7", "123456123", true}, {"7", "900", false}} {
		if got := of(c.entry, c.number); got.Test != c.want || len(got.Messages) != 1 {
			t.Errorf("entry %s, number %s: %+v", c.entry, c.number, got)
		}
	}
}
